/** The number type that a network computes in. Trained values, optimizers, norms, softmax and losses are always f32. */
export const precisions = ['f32', 'f16', 'bf16'] as const;
export type Precision = (typeof precisions)[number];
/** Floating-point types of 16 bits. */
export type HalfType = Exclude<Precision, 'f32'>;
