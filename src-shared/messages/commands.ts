/** Command line. Codes that begin with `usage.` mean wrong usage (exit status 2). */
export const commandMessages = {
  'usage.noCommand': (_d: object) =>
    'No command given; write likeness COMMAND. "likeness --help" lists the commands.',
  'usage.unknownCommand': (d: { command: string; suggestion: string | undefined }) =>
    `There is no command "${d.command}"${didYouMean(d.suggestion)}; "likeness --help" lists them.`,
  'usage.unknownOption': (d: { option: string; suggestion: string | undefined; command: string }) =>
    `Unknown option ${d.option}${didYouMean(d.suggestion)}; "${likeness(d.command)} --help" lists them.`,
  'usage.missingValue': (d: { option: string; placeholder: string }) =>
    `${d.option} needs a value: ${d.option} ${d.placeholder}.`,
  'usage.unwantedValue': (d: { option: string }) => `${d.option} is a switch; it takes no value.`,
  'usage.badValue': (d: { option: string; value: string; expected: string }) =>
    `${d.option} cannot be "${d.value}"; it must be ${d.expected}.`,
  'usage.missingOption': (d: { option: string; command: string }) =>
    `${d.option} is missing; "likeness ${d.command} --help" says what it means.`,
  'usage.extraWord': (d: { word: string; command: string }) =>
    `"${d.word}" belongs to no option; quote texts with spaces, and see "likeness ${d.command} --help".`,
  'usage.conflict': (d: { option: string; other: string; why: string }) =>
    `${d.option} and ${d.other} do not go together: ${d.why}.`,
  'text.notText': (d: { file: string }) =>
    `${d.file} is not a UTF-8 text file; save it as plain text with that encoding.`,
  'text.notPlain': (d: { file: string; what: string }) =>
    `${d.file} is ${d.what}, not plain text; save its words as plain text (UTF-8).`,
  'text.data': (d: { file: string; what: string }) =>
    `${d.file} is ${d.what}, and a text file with one prompt per line is needed here; write the prompts into one.`,
  'prompts.none': (d: { file: string }) => `${d.file} has no prompts; write one per line.`,
  cancelled: (_d: object) => 'Cancelled. Everything finished has been kept.',
  'memory.short': (d: { why: string }) =>
    `This needs more memory than the machine has free (${d.why}); use a smaller batch, size or model, or close other programs.`,
  'cache.unusable': (d: { folder: string; why: string }) =>
    `The cache folder ${d.folder} can't be written to (${d.why}); set LIKENESS_CACHE to a folder that you can write to.`,
  'system.refused': (d: { file: string; why: string }) => `${d.file}: ${d.why}.`,
  'system.tooManyFiles': (_d: object) =>
    'More files are needed at once than this program may open; raise the limit ("ulimit -n 1024" in the terminal), or close other programs.',
  'system.noFolder': (_d: object) =>
    'The folder that this was started in is gone; go to one that is there ("cd ~" in the terminal), and start it again.',
  internal: (d: { why: string }) =>
    `Something unexpected went wrong (${d.why}); run it again with --debug and report the output.`,
};

function likeness(command: string): string {
  return `likeness ${command}`.trim();
}

function didYouMean(suggestion: string | undefined): string {
  return suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
}
