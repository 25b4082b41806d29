import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { draw, model, train } from './goodFiles.ts';
import {
  checkpoints,
  anyPicture,
  withHeader,
  photos,
  asFile,
  headers,
  configs,
  tarOf,
  distilling,
  inRun,
  inRunJson,
  type OddCase,
} from './oddMakers.ts';

/** `good`: the folder of `makeGoodFiles`. */
export function oddCases(good: string): OddCase[] {
  const run = path.join(good, 'run');
  const png = readFileSync(path.join(good, 'photo.png'));
  const jpeg = readFileSync(path.join(good, 'photo.jpg'));
  const raw = (pixels: number) => ({ raw: { width: pixels, height: pixels, channels: 4 as const } });
  return [
    photos('a pipe', (place) => execFileSync('mkfifo', [path.join(place, 'a.png')])),
    photos('a link to itself', (place) => symlinkSync('a.png', path.join(place, 'a.png'))),
    photos('a link to nothing', (place) => symlinkSync('/nowhere/x.png', path.join(place, 'a.png'))),
    photos('masks that are a link to the photos', (place) => {
      rmSync(path.join(place, 'masks'), { recursive: true });
      symlinkSync('.', path.join(place, 'masks'));
    }),
    photos('a folder named a.png', (place) => mkdirSync(path.join(place, 'a.png'))),
    photos('a name with line breaks', (place) =>
      renameSync(path.join(place, 'good.png'), path.join(place, 'a\nb\u001b[31m.png')),
    ),
    photos('a name that is no UTF-8', (place) =>
      writeFileSync(
        Buffer.concat([Buffer.from(`${place}/`), Buffer.from([0xff, 0xfe, 0x2e, 0x70, 0x6e, 0x67])]),
        png,
      ),
    ),
    photos('an empty file', (place) => writeFileSync(path.join(place, 'a.jpg'), '')),
    photos('a page', (place) =>
      writeFileSync(path.join(place, 'a.jpg'), '<!DOCTYPE html><title>Sign in</title>'),
    ),
    photos('an SVG named PNG, with a file of this machine in it', (place) =>
      writeFileSync(
        path.join(place, 'a.png'),
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><image href="file:///etc/hostname" width="9" height="9"/></svg>',
      ),
    ),
    photos('a PDF named JPG', (place) => writeFileSync(path.join(place, 'a.jpg'), '%PDF-1.4\n%%EOF\n')),
    photos('a photo of one pixel', (place) => anyPicture(1, 1).toFile(path.join(place, 'a.png'))),
    photos('a photo of 20,000 × 1', (place) => anyPicture(20_000, 1).toFile(path.join(place, 'a.png'))),
    photos('16 bits', (place) => anyPicture().toColourspace('rgb16').png().toFile(path.join(place, 'a.png'))),
    photos('CMYK', (place) => anyPicture().toColourspace('cmyk').jpeg().toFile(path.join(place, 'a.jpg'))),
    photos('one bit, grey', (place) =>
      anyPicture().greyscale().png({ palette: true, colours: 2 }).toFile(path.join(place, 'a.png')),
    ),
    photos('an animated GIF and WebP', async (place) => {
      const frames = sharp(Buffer.alloc(4 * 32 * 64, 99), {
        raw: { width: 32, height: 64, channels: 4, pageHeight: 32 },
      });
      await frames
        .clone()
        .gif({ delay: [10, 10] })
        .toFile(path.join(place, 'a.gif'));
      await frames
        .clone()
        .webp({ delay: [10, 10] })
        .toFile(path.join(place, 'b.webp'));
    }),
    photos('wholly transparent', (place) =>
      sharp(Buffer.alloc(4 * 32 * 32), raw(32))
        .png()
        .toFile(path.join(place, 'a.png')),
    ),
    photos('EXIF of 64 KB that points into itself', (place) => {
      const exif = Buffer.alloc(65_533, 0);
      exif.write('Exif\0\0II*\0', 0, 'latin1');
      exif.writeUInt32LE(8, 10);
      exif.writeUInt16LE(5000, 14);
      for (let i = 0; i < 5000; i++) exif.writeUInt32LE(8, Math.min(16 + 12 * i + 8, exif.length - 4));
      const length = Buffer.from([0xff, 0xe1, 0xff, 0xff]);
      writeFileSync(
        path.join(place, 'a.jpg'),
        Buffer.concat([jpeg.subarray(0, 2), length, exif, jpeg.subarray(2)]),
      );
    }),
    photos('a JPEG whose header says 65,535 × 65,535', (place) => {
      const bytes = Buffer.from(jpeg);
      const at = bytes.indexOf(Buffer.from([0xff, 0xc0])) + 5;
      bytes.fill(0xff, at, at + 4);
      writeFileSync(path.join(place, 'a.jpg'), bytes);
    }),
    photos('a GIF whose header says 65,535 × 65,535', (place) => {
      const bytes = Buffer.from(readFileSync(path.join(good, 'photo.gif')));
      bytes.fill(0xff, 6, 10);
      writeFileSync(path.join(place, 'a.gif'), bytes);
    }),
    photos('a TIFF whose directories are a circle', (place) => {
      const bytes = Buffer.alloc(64);
      bytes.write('II*\0\x08\0\0\0\x01\0', 0, 'latin1');
      bytes.writeUInt32LE(8, 22);
      writeFileSync(path.join(place, 'a.tif'), bytes);
    }),
    photos('a mask that is an animation of another size', async (place) => {
      const frames = sharp(Buffer.alloc(4 * 32 * 64, 99), {
        raw: { width: 32, height: 64, channels: 4, pageHeight: 32 },
      });
      await frames.gif({ delay: [10, 10] }).toFile(path.join(place, 'masks/good.gif'));
    }),
    photos('a mask of 16 bits', (place) =>
      anyPicture().greyscale().toColourspace('grey16').png().toFile(path.join(place, 'masks/good.png')),
    ),
    photos('a mask that is a pipe', (place) => execFileSync('mkfifo', [path.join(place, 'masks/good.png')])),
    photos('a caption of 3 MB on one line', (place) =>
      writeFileSync(path.join(place, 'good.txt'), 'dog '.repeat(750_000)),
    ),
    photos('a caption with zeros and arrows that turn text', (place) =>
      writeFileSync(path.join(place, 'good.txt'), 'a \0\0 dog \u202e\u0007'),
    ),
    ...configs,
    ...Object.entries(headers).flatMap(([name, text]) => [
      asFile(`model whose header has ${name}`, 'model.safetensors', () => withHeader(text)),
      asFile(`LoRA whose header has ${name}`, 'lora.safetensors', () => withHeader(text), '--lora'),
      asFile(`embedding whose header has ${name}`, 'word.safetensors', () => withHeader(text), '--embedding'),
    ]),
    asFile('a header of 2⁶³ bytes', 'model.safetensors', () => Buffer.alloc(64, 0xff)),
    asFile('an archive that is no model', 'model.ckpt', () =>
      readFileSync(path.join(checkpoints, 'zip.bin')).subarray(64),
    ),
    asFile('an archive with 1,000 ends', 'model.ckpt', () =>
      Buffer.concat(Array<Buffer>(1000).fill(Buffer.from('PK\x05\x06'.padEnd(22, '\xff'), 'latin1'))),
    ),
    asFile(
      'an archive inside an archive',
      'lora.safetensors',
      () =>
        Buffer.concat([
          readFileSync(path.join(checkpoints, 'zip.bin')),
          readFileSync(path.join(checkpoints, 'zip.bin')),
        ]),
      '--lora',
    ),
    asFile(
      'numbers for a LoRA',
      'lora.npz',
      () => Buffer.from('\x93NUMPY\x01\x00v\x00{"descr": "|O"}', 'latin1'),
      '--lora',
    ),
    ...['steps', 'size', 'seed', 'learningRate', 'batch'].flatMap((key) =>
      [-1, 1e300, null, 'many', [1], {}].map((value) => inRunJson(run, key, value)),
    ),
    inRunJson(run, 'model', '/etc/passwd'),
    inRunJson(run, 'photos', '../'.repeat(2000)),
    inRunJson(run, 'classNoun', 'dog\n\u0000\u001b[2J'),
    inRunJson(run, 'lora', { rank: 1e9, alpha: 'x', targets: ['.*', '__proto__'] }),
    inRun(run, 'run.json is a folder', (copy) => {
      rmSync(path.join(copy, 'run.json'));
      mkdirSync(path.join(copy, 'run.json'));
    }),
    inRun(run, 'run.json is a link to itself', (copy) => {
      rmSync(path.join(copy, 'run.json'));
      symlinkSync('run.json', path.join(copy, 'run.json'));
    }),
    inRun(run, 'checkpoints is a file', (copy) => {
      rmSync(path.join(copy, 'checkpoints'), { recursive: true });
      writeFileSync(path.join(copy, 'checkpoints'), 'x');
    }),
    inRun(run, 'checkpoints of odd names', (copy) => {
      for (const name of ['-00001', '1e9', '000002 ', 'NaN', '999999999999999999999'])
        cpSync(path.join(copy, 'checkpoints/000002'), path.join(copy, 'checkpoints', name), {
          recursive: true,
        });
    }),
    inRun(run, 'a checkpoint that is a link to its parent', (copy) => {
      rmSync(path.join(copy, 'checkpoints/000002'), { recursive: true });
      symlinkSync('..', path.join(copy, 'checkpoints/000002'));
    }),
    inRun(
      run,
      'a log of zeros',
      (copy) => writeFileSync(path.join(copy, 'log.jsonl'), Buffer.alloc(1e6)),
      (copy) => train(path.join(good, 'photos'), copy, '--steps', '2', '--checkpoint-every', '1', '--resume'),
    ),
    distilling('a table whose quotes never close', (data) =>
      writeFileSync(path.join(data, 'metadata.csv'), 'file_name,text\n1.png,"a dog\n'),
    ),
    distilling('a table with 50,000 columns', (data) =>
      writeFileSync(path.join(data, 'metadata.csv'), `file_name,text${',x'.repeat(50_000)}\n1.png,a\n`),
    ),
    distilling('a table that names files of this machine', (data) =>
      writeFileSync(
        path.join(data, 'metadata.csv'),
        'file_name,text\n../../../../etc/passwd,a\n/etc/hostname,b\n',
      ),
    ),
    distilling('a table of zeros', (data) =>
      writeFileSync(path.join(data, 'metadata.csv'), Buffer.alloc(1000)),
    ),
    distilling('an archive with links and devices', (data) =>
      tarOf(path.join(data, 'a.tar'), [
        [{ name: '../../evil.png', type: 'symlink', linkname: '/etc/passwd' }],
        [{ name: 'b.png', type: 'link', linkname: '../../../etc/passwd' }],
        [{ name: 'c.png', type: 'character-device' }],
        [{ name: '/tmp/evil-likeness.png' }, 'x'],
        [{ name: `${'d/'.repeat(500)}e.txt` }, 'a caption'],
      ]),
    ),
    distilling('an archive that is empty', (data) => writeFileSync(path.join(data, 'a.tar'), '')),
    {
      name: 'prompts: one of 2 MB',
      make: (folder) => {
        writeFileSync(path.join(folder, 'p.txt'), 'dog '.repeat(500_000));
        return [...draw(path.join(folder, 'out'), '--model', model, '--prompts', path.join(folder, 'p.txt'))];
      },
    },
    ...(
      [
        ['a pipe', (out) => execFileSync('mkfifo', [out])],
        ['a file', (out) => writeFileSync(out, 'mine')],
        ['a link to itself', (out) => symlinkSync('out', out)],
        ['a link to nothing', (out) => symlinkSync('/nowhere/at/all', out)],
      ] as [string, (out: string) => void][]
    ).map(([name, make]): OddCase => ({
      name: `--out is ${name}`,
      make: (folder) => {
        make(path.join(folder, 'out'));
        return draw(path.join(folder, 'out'), '--model', model);
      },
    })),
    {
      name: '--out has a name of 300 letters',
      make: (folder) => draw(path.join(folder, 'x'.repeat(300)), '--model', model),
    },
    { name: '--out is in /proc', make: () => draw('/proc/likeness', '--model', model) },
    { name: '--out has a zero in it', make: (folder) => draw(`${folder}/a\0b`, '--model', model) },
    { name: '--model is a device', make: (folder) => draw(path.join(folder, 'out'), '--model', '/dev/zero') },
    {
      name: '--lora is a device',
      make: (folder) => draw(path.join(folder, 'out'), '--model', model, '--lora', '/dev/zero'),
    },
    {
      name: '--recipe is a folder',
      make: (folder) => ['generate', '--recipe', folder, '--out', path.join(folder, 'out')],
    },
  ];
}
