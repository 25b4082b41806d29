import sharp from 'sharp';

const font = 'sans';
const markup: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Text as a picture with transparent ground, broken into lines `width` pixels wide. */
export async function drawText(text: string, width: number, points: number): Promise<Buffer> {
  const escaped = text.replace(/[&<>]/g, (sign) => markup[sign] as string);
  return sharp({
    text: {
      text: `<span foreground="#303030">${escaped}</span>`,
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
