import { problem } from '../../../src-shared/messages/index.ts';
import { withFile } from './files.ts';

/** What the first bytes of a weight file say it is, whatever its name says. */
export type WeightFormat = 'safetensors' | 'torch';

/**
 * Recognises a weight file by its content. Undefined where it is neither format: then its name decides, for the message. Errors:
 * `weights.standIn` for what failed downloads leave behind: web pages, server answers, LFS pointers.
 */
export function sniffWeights(path: string): WeightFormat | undefined {
  const start = withFile(path, (file) => file.bytes(0, Math.min(file.size, 512)));
  refuseStandIn(path, start);
  // Eight bytes of length, of which no real header needs the upper four, then JSON. First, as the length may begin like a pickle.
  if (start[8] === 0x7b && start.slice(4, 8).every((byte) => byte === 0)) return 'safetensors';
  if (start[0] === 0x50 && start[1] === 0x4b) return 'torch'; // a zip
  if (start[0] === 0x80 && (start[1] ?? 0) <= 5) return 'torch'; // a pickle of protocol 2 to 5
  return undefined;
}

const archive = 'unpack it, and give the file of weights that is in it';
const picture = 'give the file of weights; sites put pictures of the same name beside it';

/** Files that are often taken for weights, by their first bytes. */
const others: readonly (readonly [start: RegExp, what: string, instead: string])[] = [
  [/^Rar!/, 'a RAR archive', archive],
  [/^7z\xbc\xaf/, 'a 7z archive', archive],
  [/^\x1f\x8b|^BZh\d|^\xfd7zXZ|^\x28\xb5\x2f\xfd/, 'a compressed file', archive],
  [
    /^\[(InternetShortcut|Desktop Entry)\]|^L\0\0\0\x01\x14\x02\0|^bplist00|^<\?xml[^]*<plist/,
    'a shortcut',
    'give the file that it leads to; if that is a page, download the file from there',
  ],
  [
    /^d\d+:(announce|comment|creat|encoding|info|url)/,
    'a torrent',
    'download what it describes, and give that',
  ],
  [/^GGUF/, 'a GGUF file (quantised weights)', 'get the model as .safetensors in fp16 or fp32'],
  [/^\x89PNG|^\xff\xd8\xff|^RIFF....WEBP|^GIF8/s, 'a picture', picture],
  [/^\0{64}/, 'zeros alone (as an unfinished download is)', 'download it again'],
];

function refuseStandIn(path: string, start: Uint8Array): void {
  // By its name TextDecoder's latin1 is windows-1252, which changes some bytes.
  const bytes = Buffer.from(start).toString('latin1');
  const text = bytes.replace(/^\xef\xbb\xbf/, '').trimStart();
  const refuse = (what: string, instead: string): never => {
    throw problem('weights.standIn', { file: path, what, instead });
  };
  for (const [sign, what, instead] of others) if (sign.test(bytes)) refuse(what, instead);
  if (text.startsWith('version https://git-lfs'))
    refuse(
      'a Git LFS pointer (a few lines that stand for the real file)',
      "run `git lfs pull` in its folder, or download the file itself from the model's page",
    );
  if (/^<(!doctype|html|\?xml|head|body|!--)/i.test(text))
    refuse(
      'a web page, as a sign-in or an error gives',
      "open the model's page in a browser, sign in and accept its licence if it asks, and download the file again",
    );
  if (!/^[{[]\s*["{[\]}]/.test(text)) return;
  if (/"(error|errors|message|detail)"\s*:/i.test(text))
    refuse(
      `text (JSON), as a server answers instead of a file: ${text.slice(0, 80).trim()}`,
      'download the file again; it may need a sign-in',
    );
  refuse(
    'text (JSON), as configurations are',
    'give the file of weights, or the folder that this one lies in',
  );
}
