export const maskTools = ['ellipse', 'rectangle', 'lasso', 'brush'] as const;
export type MaskTool = (typeof maskTools)[number];
export type Point = readonly [x: number, y: number];

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Something done to a mask, in pixels of the upright photo. */
export type MaskStep =
  | { readonly kind: 'ellipse' | 'rectangle'; readonly erase: boolean; readonly box: Box }
  | { readonly kind: 'lasso'; readonly erase: boolean; readonly points: readonly Point[] }
  | {
      readonly kind: 'brush';
      readonly erase: boolean;
      /** Diameter. */
      readonly size: number;
      readonly points: readonly Point[];
    }
  /** A mask that takes the place of all that was there, white where the subject is and transparent elsewhere. */
  | {
      readonly kind: 'picture';
      readonly mask: CanvasImageSource;
      readonly width: number;
      readonly height: number;
    }
  | { readonly kind: 'clear' }
  | { readonly kind: 'invert' };

/** Does a step to a mask that is white where the subject is and transparent elsewhere. `scale`: pixels of the mask a pixel of the photo. */
export function paintStep(context: CanvasRenderingContext2D, step: MaskStep, scale: number): void {
  context.save();
  context.fillStyle = context.strokeStyle = '#fff';
  if (step.kind === 'clear' || step.kind === 'invert') {
    // White where nothing was, and nothing where it was white.
    context.globalCompositeOperation = step.kind === 'clear' ? 'destination-out' : 'source-out';
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  } else if (step.kind === 'picture') {
    context.globalCompositeOperation = 'copy';
    context.drawImage(step.mask, 0, 0, step.width * scale, step.height * scale);
  } else {
    context.globalCompositeOperation = step.erase ? 'destination-out' : 'source-over';
    context.scale(scale, scale);
    context.beginPath();
    if (step.kind === 'brush') strokeOf(context, step.points, step.size);
    else {
      if (step.kind === 'lasso') for (const [x, y] of step.points) context.lineTo(x, y);
      else if (step.kind === 'rectangle')
        context.rect(step.box.x, step.box.y, step.box.width, step.box.height);
      else ellipseOf(context, step.box);
      context.fill();
    }
  }
  context.restore();
}

function ellipseOf(context: CanvasRenderingContext2D, { x, y, width, height }: Box): void {
  context.ellipse(x + width / 2, y + height / 2, width / 2, height / 2, 0, 0, 2 * Math.PI);
}

function strokeOf(context: CanvasRenderingContext2D, points: readonly Point[], size: number): void {
  const [first] = points;
  if (!first) return;
  // Not every Chromium draws the caps of a line without length.
  if (points.every(([x, y]) => x === first[0] && y === first[1])) {
    context.arc(...first, size / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  context.lineCap = context.lineJoin = 'round';
  context.lineWidth = size;
  for (const point of points) context.lineTo(...point);
  context.stroke();
}

/** The box between two corners, in any order. */
export function boxBetween([ax, ay]: Point, [bx, by]: Point): Box {
  return {
    x: Math.min(ax, bx),
    y: Math.min(ay, by),
    width: Math.abs(ax - bx),
    height: Math.abs(ay - by),
  };
}

/** Shows points as a line that is seen on any ground. */
export function drawLine(context: CanvasRenderingContext2D, points: readonly Point[], scale: number): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x * scale, y * scale);
  for (const [colour, width] of [
    ['rgb(0 0 0 / 70%)', 4],
    ['#fff', 2],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = (width * context.canvas.width) / (context.canvas.clientWidth || context.canvas.width);
    context.stroke();
  }
}
