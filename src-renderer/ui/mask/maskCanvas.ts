import { scaledSize, type Size } from '../../../src-shared/scaledSize.ts';
import { paintStep, type MaskStep } from './maskSteps.ts';

/** Longest side of what is painted on, in pixels: larger photos are painted smaller and saved in full. */
const longest = 1400;

export function workingScale({ width, height }: Size): number {
  return Math.min(1, longest / Math.max(width, height));
}

/** A canvas for a photo at `scale`. */
export function canvasFor(photo: Size, scale: number): CanvasRenderingContext2D {
  const canvas = Object.assign(document.createElement('canvas'), scaledSize(photo, scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('the browser gives no canvas');
  return context;
}

/** Makes `context` what a stored mask says: white where that is white, transparent where it is black; empty without one. */
export function startFrom(context: CanvasRenderingContext2D, stored: CanvasImageSource | undefined): void {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  if (!stored) return;
  context.drawImage(stored, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  const { data } = pixels;
  for (let i = 0; i < data.length; i += 4) {
    data[i + 3] = ((data[i] as number) * (data[i + 3] as number)) / 255;
    data.fill(255, i, i + 3);
  }
  context.putImageData(pixels, 0, 0);
}

/** Share of the photo that is marked, 0…1. */
export function markedShare(context: CanvasRenderingContext2D): number {
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  let sum = 0;
  for (let i = 3; i < data.length; i += 4) sum += data[i] as number;
  return sum / (255 * width * height);
}

/** A mask in the photo's size as a PNG: what is marked white, all else black. */
export async function maskPng(
  photo: Size,
  stored: CanvasImageSource | undefined,
  steps: readonly MaskStep[],
): Promise<Blob> {
  const context = canvasFor(photo, 1);
  startFrom(context, stored);
  for (const step of steps) paintStep(context, step, 1);
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#000';
  context.fillRect(0, 0, photo.width, photo.height);
  const blob = await new Promise<Blob | null>((resolve) => context.canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the browser makes no picture of this size');
  return blob;
}

/** A picture once it is there; nothing where it cannot be had. */
export function loadedImage(address: string): Promise<HTMLImageElement | undefined> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(undefined);
    image.src = address;
  });
}
