import { fileUrls } from '../../src-shared/contract/fileUrls.ts';
import { attempt } from './toasts.svelte.ts';

/** Puts a picture on the clipboard, as a PNG; true when it is there. */
export async function copyPicture(id: number): Promise<boolean> {
  const copied = await attempt(async () => {
    // The promise is given and not awaited: some browsers let only what a click does at once reach the clipboard.
    const png = fetch(fileUrls.image(id)).then((answer) => answer.blob());
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    return true;
  });
  return copied === true;
}
