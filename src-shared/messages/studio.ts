/** The studio: its library, the contract, jobs, served pages. */
export const studioMessages = {
  'library.inUse': (d: { folder: string }) =>
    `${d.folder} is open in another Likeness; close that one, or choose another library.`,
  'library.newer': (d: { file: string }) =>
    `${d.file} was written by a newer Likeness; install that one, or choose another library.`,
  'library.unwritable': (d: { folder: string; why: string }) =>
    `${d.folder} can't be used as a library (${d.why}); check that it is there, that you may write to it and that the disk has room.`,
  'library.movedAway': (d: { folder: string }) =>
    `${d.folder} is not there any more; bring it back, or close Likeness and open the library from its new place.`,
  'library.readOnly': (d: { folder: string }) =>
    `${d.folder} can't be written to; new pictures and photos can't be kept until it can.`,
  'library.lowDisk': (d: { folder: string; megabytes: number }) =>
    `Only ${d.megabytes} MB are left on the disk of ${d.folder}; make room, or new pictures and checkpoints can't be kept.`,
  'library.diskFull': (_d: object) =>
    "The library's disk is full; make room and try again. What was kept before is whole.",
  'library.unwritten': (d: { why: string }) =>
    `The library's database could not be read or written (${d.why}); check its disk and try again.`,
  'run.away': (d: { name: string; folder: string }) =>
    `The folder of ${d.name} (${d.folder}) is gone; bring it back and look through the library's folder again, or remove the run.`,
  'library.rebuilt': (d: { file: string }) =>
    `The library's database was damaged. It has been moved to ${d.file} and made again from the pictures and runs in the folder; favourites and names may be missing.`,
  'library.outside': (d: { file: string }) => `${d.file} is not in the library.`,
  'library.gone': (d: { what: string }) => `This ${d.what} is not in the library any more.`,
  'project.last': (_d: object) => 'The last project stays; make another one first.',
  'subject.noClass': (d: { name: string }) => `Say what ${d.name} is first, in a word: dog, mug, person.`,
  'subject.busy': (d: { name: string }) =>
    `${d.name} is being worked on; cancel or wait for its jobs, then remove it.`,
  'photos.tooFew': (d: { name: string }) => `${d.name} has no photos that can be used; add 4 to 6.`,
  'photos.badCrop': (d: { name: string }) => `The square lies outside ${d.name}; draw it inside.`,
  'photos.badMask': (d: { name: string; width: number; height: number }) =>
    `The mask for ${d.name} must be a PNG of ${d.width} × ${d.height} pixels.`,
  'run.busy': (d: { name: string }) => `${d.name} is training; pause or cancel it first.`,
  'run.untrained': (d: { name: string }) => `${d.name} has no checkpoint yet; let it train a little longer.`,
  'training.measured': (d: { model: string }) => `${d.model} has been tried out on this machine already.`,
  'generation.tooMany': (d: { total: number; max: number }) =>
    `These would be ${d.total} pictures, and ${d.max} is the most at once; take fewer prompts, mixes or copies.`,
  'generation.otherModels': (_d: object) =>
    'These runs were trained on different base models and cannot be mixed; choose runs of one model.',
  'generation.wholeModel': (d: { name: string }) =>
    `${d.name} changed the whole model, so it can't be mixed in; export it as a diffusers folder and import that as a model.`,
  'model.shippedStays': (_d: object) => 'The model that comes with Likeness stays.',
  'model.away': (d: { path: string }) =>
    `${d.path} is not there; bring the model back or choose another one.`,
  'download.off': (_d: object) =>
    'Downloads are off; turn "offline" off and "downloads" on in the settings first.',
  'download.noModel': (d: { repository: string; folder: string }) =>
    `${d.repository} has no weights in ${d.folder} that can be read here; choose a repository in diffusers' layout.`,
  'download.noRoom': (d: { folder: string; gigabytes: string }) =>
    `${d.gigabytes} GB do not fit on the disk of ${d.folder}; make room and retry.`,
  'download.failed': (d: { file: string; why: string }) =>
    `${d.file} could not be downloaded (${d.why}); retry goes on where it stopped.`,
  'download.changed': (d: { file: string }) =>
    `${d.file} is not what its list of hashes says; the bytes were thrown away. Retry, or choose another model.`,
  'offline.blocked': (d: { host: string }) => `The connection to ${d.host} was blocked: Likeness is offline.`,
  'job.crashed': (d: { title: string; why: string }) =>
    `${d.title} ended unexpectedly (${d.why}). What was finished is kept; retry goes on from there.`,
  'job.wrongState': (d: { title: string; state: string }) =>
    `${d.title} is ${d.state}; this is not possible now.`,
  'job.interrupted': (d: { title: string }) =>
    `${d.title} was interrupted when Likeness closed; it goes on where it was.`,
  'request.unknown': (d: { request: string }) => `There is no request "${d.request}".`,
  'request.invalid': (d: { field: string; why: string }) => `"${d.field}" cannot be used: ${d.why}.`,
  'request.refused': (d: { why: string }) => `Refused: ${d.why}.`,
  'request.tooLarge': (d: { max: string }) => `This is too large; ${d.max} is the most.`,
  'request.onlyApp': (_d: object) =>
    'This works in the Likeness window only; in the browser, type or choose the path instead.',
  'scores.none': (_d: object) => 'This build cannot score runs.',
  'connection.lost': (_d: object) =>
    'The connection to Likeness was lost; it comes back by itself when the studio runs.',
  'serve.host': (d: { host: string }) =>
    `--host ${d.host} would show your photos to the network unencrypted; give --tls-cert and --tls-key too, or tunnel: ssh -L.`,
  'serve.port': (d: { port: number; why: string }) =>
    `Port ${d.port} can't be opened (${d.why}); choose another --port.`,
  'serve.notBuilt': (d: { folder: string }) =>
    `The studio's window is not in ${d.folder}; run "npm run build" in the checkout first.`,
};
