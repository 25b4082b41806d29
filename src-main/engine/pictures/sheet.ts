import { sharp, type Sharp } from '../../sharp.ts';
import { canDrawText, drawText } from './labels.ts';

interface Place {
  readonly left: number;
  readonly top: number;
}

interface Room extends Place {
  readonly width: number;
  readonly height: number;
  /** `contain`: the whole image, on white; otherwise its middle, cut to fill the room. */
  readonly fit?: 'cover' | 'contain';
}

interface Layer extends Place {
  readonly input: Buffer;
}

/** Pictures with words among them, on white. Where the machine has no font, nothing is written. */
export class Sheet {
  private readonly layers: Layer[] = [];

  private constructor(readonly labelled: boolean) {}

  static async begin(): Promise<Sheet> {
    return new Sheet(await canDrawText());
  }

  /** Writes `words` in lines `width` pixels wide. */
  async write(words: string, width: number, place: Place, points = 11): Promise<void> {
    if (this.labelled && words !== '')
      this.layers.push({ input: await drawText(words, width, points), ...place });
  }

  async lay(image: Sharp, { left, top, width, height, fit = 'cover' }: Room): Promise<void> {
    const input = await image.resize(width, height, { fit, background: 'white' }).png().toBuffer();
    this.layers.push({ input, left, top });
  }

  async png(width: number, height: number): Promise<Buffer> {
    const layers = await Promise.all(this.layers.map((layer) => within(layer, width, height)));
    return sharp({ create: { width, height, channels: 3, background: 'white' } })
      .composite(layers)
      .removeAlpha()
      .png()
      .toBuffer();
  }
}

/** Words may be taller than their row: what would lie outside of the sheet is cut. */
async function within(layer: Layer, width: number, height: number): Promise<Layer> {
  const { input, left, top } = layer;
  const { width: own, height: tall } = await sharp(input).metadata();
  const room = { width: width - left, height: height - top };
  if (own <= room.width && tall <= room.height) return layer;
  const size = { width: Math.min(own, room.width), height: Math.min(tall, room.height) };
  const cut = sharp(input).extract({ left: 0, top: 0, ...size });
  return { ...layer, input: await cut.toBuffer() };
}
