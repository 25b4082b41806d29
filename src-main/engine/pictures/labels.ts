import { sharp } from '../../sharp.ts';

const font = 'sans';
const markup: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Words as they stand in markup. */
export function escaped(words: string): string {
  return words.replace(/[&<>]/g, (sign) => markup[sign] ?? sign);
}

/** Text as a picture with transparent ground, broken into lines `width` pixels wide. */
export async function drawText(text: string, width: number, points: number): Promise<Buffer> {
  return sharp({
    text: {
      text: `<span foreground="#303030">${escaped(text)}</span>`,
      font: `${font} ${points}`,
      width,
      dpi: 96,
      rgba: true,
    },
  })
    .png()
    .toBuffer();
}

/** Whether this machine has a font: without one, every letter is drawn as the same box. */
export async function canDrawText(): Promise<boolean> {
  const widthOf = async (text: string): Promise<number | undefined> =>
    (await sharp({ text: { text, font: `${font} 20` } }).metadata()).width;
  try {
    return (await widthOf('iiii')) !== (await widthOf('WWWW'));
  } catch {
    return false;
  }
}
