/** What a U-Net predicts, by diffusers' names: the noise, or the velocity (Salimans & Ho 2022). */
export const predictions = ['epsilon', 'v_prediction'] as const;
export type Prediction = (typeof predictions)[number];
