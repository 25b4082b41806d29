/** Linear RGB, 0 to 1. */
export type Rgb = [number, number, number];

export function toLinear(v: number): number {
  return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
}

function toSrgb(v: number): number {
  return v <= 0.0031308 ? v * 12.92 : 1.055 * Math.pow(v, 1 / 2.4) - 0.055;
}

/** 8-bit sRGB → linear. */
export const linearOf = Float32Array.from({ length: 256 }, (_, i) => toLinear(i / 255));

const srgbSteps = 4096;
const srgbTable = Uint8Array.from({ length: srgbSteps + 1 }, (_, i) =>
  Math.round(255 * toSrgb(i / srgbSteps)),
);

/** Linear → 8-bit sRGB, clipped. */
export function srgbByte(v: number): number {
  return srgbTable[Math.round(Math.min(1, Math.max(0, v)) * srgbSteps)] as number;
}

export function srgb(r: number, g: number, b: number): Rgb {
  return [toLinear(r / 255), toLinear(g / 255), toLinear(b / 255)];
}

export function luminance(r: number, g: number, b: number): number {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The colours that captions name. */
export const namedColors = {
  red: srgb(200, 30, 32),
  orange: srgb(240, 122, 20),
  yellow: srgb(245, 205, 30),
  green: srgb(44, 145, 60),
  turquoise: srgb(50, 185, 180),
  blue: srgb(35, 85, 195),
  purple: srgb(120, 58, 165),
  pink: srgb(240, 130, 170),
  brown: srgb(112, 68, 38),
  black: srgb(34, 34, 36),
  white: srgb(236, 236, 234),
  gray: srgb(132, 132, 134),
} satisfies Record<string, Rgb>;

export type ColorName = keyof typeof namedColors;

/** 0 for greys, towards 1 for pure colours; on sRGB values, as eyes judge it. */
export function saturation(color: Rgb): number {
  const s = color.map(toSrgb);
  const high = Math.max(...s);
  return high < 1e-4 ? 0 : (high - Math.min(...s)) / Math.max(high, 0.2);
}

/** The name people would give to a colour, or null where two people would differ. */
export function nameColor(color: Rgb): ColorName | null {
  const [r, g, b] = color.map(toSrgb) as Rgb;
  const high = Math.max(r, g, b);
  const low = Math.min(r, g, b);
  const chroma = high - low;
  if (high < 0.2) return 'black';
  if (chroma < 0.07) return high > 0.8 ? 'white' : high < 0.72 && high > 0.35 ? 'gray' : null;
  if (chroma < 0.16) return null;
  let hue = high === r ? (g - b) / chroma : high === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
  hue = (hue * 60 + 360) % 360;
  const strong = chroma / high > 0.45;
  if (hue < 14 || hue > 345)
    return strong
      ? high > 0.85 && low > 0.4
        ? 'pink'
        : high > 0.4
          ? 'red'
          : 'brown'
      : high > 0.75
        ? 'pink'
        : null;
  if (hue < 42) return high < 0.62 ? 'brown' : high > 0.8 && chroma / high > 0.72 ? 'orange' : null;
  if (hue < 68) return strong && high > 0.6 ? 'yellow' : null;
  if (hue < 160) return 'green';
  if (hue < 195) return high > 0.4 ? 'turquoise' : 'green';
  if (hue < 255) return 'blue';
  if (hue < 300) return 'purple';
  return strong || high > 0.7 ? 'pink' : 'purple';
}
