/** Distillation and its data. */
export const distillationMessages = {
  'distill.unfit': (d: { why: string }) =>
    `This student can't learn from this teacher: ${d.why}. Make the student from the teacher with "likeness compress".`,
  'data.missing': (d: { data: string }) =>
    `${d.data} does not exist; give a folder of captioned pictures, or a WebDataset .tar.`,
  'data.none': (d: { data: string }) =>
    `${d.data} holds no captioned pictures; give pictures with a metadata.csv or metadata.jsonl (file_name, text) or with a .txt file beside each.`,
  'data.table': (d: { file: string; why: string }) =>
    `${d.file} can't be read as a list of captions: ${d.why}. It needs the columns file_name and text.`,
  'data.tar': (d: { file: string; why: string }) =>
    `${d.file} can't be unpacked (${d.why}); give a plain .tar of pictures, each with a .txt file of the same name.`,
  'run.otherKind': (d: { folder: string; kind: string }) =>
    `${d.folder} holds a run of another kind (${d.kind}); resume it with that command, or choose another --out.`,
};
