import { fromJson } from '../../../src-shared/domain/fromJson.ts';
/**
 * What a text is if it came in place of the file that was asked for: a web page, a Git LFS pointer, a server's answer. Undefined for
 * any other text.
 */
export function insteadOfFile(text: string): string | undefined {
  const start = text.slice(0, 2000).trimStart();
  if (/^<(!doctype|html|\?xml|head|body|!--)/i.test(start)) return 'a web page, as a sign-in gives';
  if (start.startsWith('version https://git-lfs'))
    return 'a Git LFS pointer (a few lines that stand for the real file)';
  return isAnswer(start)
    ? `what a server answers instead of a file (${start.slice(0, 80).trim()})`
    : undefined;
}

/** JSON with nothing in it but what servers say of a failure. */
function isAnswer(text: string): boolean {
  if (!/^\{\s*"(error|errors|message|detail)"\s*:/i.test(text)) return false;
  const keys = Object.keys(fromJson(text) ?? {});
  return (
    keys.length > 0 &&
    keys.every((key) => /^(errors?|message|detail|status|statusCode|code|path|timestamp|url)$/i.test(key))
  );
}
