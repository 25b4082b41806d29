import { fileUrls } from '../../src-shared/contract/fileUrls.ts';
import { attempt } from './toasts.svelte.ts';

/** Copies a picture to the clipboard as a PNG; true if that worked. */
export async function copyPicture(id: number): Promise<boolean> {
  const copied = await attempt(async () => {
    // The promise is passed on without await: some browsers allow clipboard access only directly in a click.
    const png = fetch(fileUrls.image(id)).then((answer) => answer.blob());
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]);
    return true;
  });
  return copied === true;
}
