/** Draws the window's icon as the packages' icon, with the margin that macOS leaves: `node resources/package/makeIcon.mjs` → icon.png. */
import path from 'node:path';
import sharp from 'sharp';

const side = 1024;
const margin = 100;
const drawing = path.join(import.meta.dirname, '../../src-renderer/icon.svg');

await sharp(drawing, { density: 72 * 32 })
  .resize(side - 2 * margin)
  .extend({ top: margin, bottom: margin, left: margin, right: margin, background: { r: 0, g: 0, b: 0, alpha: 0 } })
  .png({ palette: true, effort: 10 })
  .toFile(path.join(import.meta.dirname, 'icon.png'));
