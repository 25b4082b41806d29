/** The prompts that wildcards make: "a {red|blue} mug" makes two, in order; several make every combination. Braces do not nest. */
export function expandWildcards(prompt: string, most = 1000): string[] {
  const parts = prompt.split(/(\{[^{}]*\|[^{}]*\})/);
  let prompts = [''];
  for (const part of parts) {
    const choices = /^\{.*\|.*\}$/s.test(part) ? part.slice(1, -1).split('|') : [part];
    prompts = prompts.flatMap((begun) => choices.map((choice) => begun + choice)).slice(0, most);
  }
  return prompts.map((one) => one.replace(/ {2,}/g, ' ').trim());
}
