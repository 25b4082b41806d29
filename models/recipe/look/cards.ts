import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** Pictures that belong together, shown in a row under a number. */
export type Card = readonly (string | Buffer)[];

const side = 192;
const head = 24;
const gap = 8;

/**
 * Writes numbered cards to `folder`/sheet-1.png and so on, so that somebody who knows no more than the pictures can judge them. Numbers
 * begin at 1.
 */
export async function drawCards(
  cards: readonly Card[],
  folder: string,
  perSheet: number,
  columns: number,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const across = Math.max(...cards.map((card) => card.length)) * side;
  for (let first = 0; first < cards.length; first += perSheet) {
    const shown = cards.slice(first, first + perSheet);
    const parts = await Promise.all(
      shown.flatMap((card, i) => {
        const left = (i % columns) * (across + gap);
        const top = Math.floor(i / columns) * (side + head + gap);
        const number = `<svg width="${across}" height="${head}"><text x="2" y="18" font-size="18">${first + i + 1}</text></svg>`;
        return [
          Promise.resolve({ input: Buffer.from(number), left, top }),
          ...card.map(async (picture, k) => ({
            input: await sharp(picture).resize(side, side, { kernel: 'cubic' }).png().toBuffer(),
            ...{ left: left + k * side, top: top + head },
          })),
        ];
      }),
    );
    const rows = Math.ceil(shown.length / columns);
    const [width, height] = [columns * (across + gap), rows * (side + head + gap)];
    await sharp({ create: { width, height, channels: 3, background: 'white' } })
      .composite(parts)
      .png()
      .toFile(join(folder, `sheet-${1 + first / perSheet}.png`));
  }
}
