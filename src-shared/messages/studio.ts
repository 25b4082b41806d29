/** The studio: its library, the contract, jobs, served pages. */
export const studioMessages = {
  'library.inUse': (d: { folder: string }) =>
    `${d.folder} is open in another Likeness; close that one, or choose another library.`,
  'library.newer': (d: { file: string }) =>
    `${d.file} was written by a newer Likeness; install that one, or choose another library.`,
  'library.unwritable': (d: { folder: string; why: string }) =>
    `${d.folder} can't be used as a library (${d.why}); check that it exists, that you may write to it and that the disk has room.`,
  'library.movedAway': (d: { folder: string }) =>
    `${d.folder} has disappeared; put it back, or close Likeness and open the library from its new place.`,
  'library.readOnly': (d: { folder: string }) =>
    `${d.folder} can't be written to, so new pictures and photos can't be saved; check its permissions and its disk.`,
  'library.lowDisk': (d: { folder: string; megabytes: number }) =>
    `Only ${d.megabytes} MB are left on the disk that holds ${d.folder}; free some space, or new pictures and checkpoints can't be saved.`,
  'library.diskFull': (_d: object) =>
    "The library's disk is full; free some space and try again. Everything saved before is intact.",
  'library.unwritten': (d: { why: string }) =>
    `The library's database could not be read or written (${d.why}); check its disk and try again.`,
  'run.away': (d: { name: string; folder: string }) =>
    `The folder of ${d.name} (${d.folder}) is gone; put it back and rescan the library folder, or remove the run.`,
  'library.rebuilt': (d: { file: string }) =>
    `The library's database was damaged. It has been moved to ${d.file} and rebuilt from the pictures and runs in the folder; favourites and names may be missing.`,
  'library.outside': (d: { file: string }) =>
    `${d.file} is not in the library; add it first, or choose another file.`,
  'library.gone': (d: { what: string }) => `This ${d.what} is no longer in the library; choose another one.`,
  'project.last': (_d: object) => "The last project can't be removed; make another one first.",
  'subject.noClass': (d: { name: string }) => `First say in one word what ${d.name} is: dog, mug, person.`,
  'subject.busy': (d: { name: string }) =>
    `${d.name} is in use by a job; cancel the job or wait for it, then remove ${d.name}.`,
  'photos.tooFew': (d: { name: string }) => `${d.name} has no photos that can be used; add 4 to 6.`,
  'photos.badCrop': (d: { name: string }) => `The square lies outside ${d.name}; keep it within the photo.`,
  'photos.badMask': (d: { name: string; width: number; height: number }) =>
    `The mask for ${d.name} must be a PNG of ${d.width} × ${d.height} pixels.`,
  'run.busy': (d: { name: string }) => `${d.name} is training; pause or cancel it first.`,
  'run.untrained': (d: { name: string }) => `${d.name} has no checkpoint yet; let it train a little longer.`,
  'training.measured': (d: { model: string }) => `${d.model} has already been measured on this machine.`,
  'generation.tooMany': (d: { total: number; max: number }) =>
    `This would make ${d.total} pictures, and the limit is ${d.max} at once; use fewer prompts, rows or copies.`,
  'generation.otherModels': (_d: object) =>
    'These runs were trained on different base models and cannot be mixed; choose runs of one model.',
  'model.shippedStays': (_d: object) => "The model that comes with Likeness can't be removed.",
  'model.away': (d: { path: string }) => `${d.path} is not there; put the model back, or choose another one.`,
  'model.changed': (d: { path: string }) =>
    `${d.path} has changed since it was added: its weights are not those that were checked then. Put the model back as it was, or add it again.`,
  'model.notHere': (d: { id: string }) =>
    `${d.id} is neither a file or folder here nor a model in the Hub's cache; check the path, or fetch it with: likeness download ${d.id} (or give --download)`,
  'download.off': (_d: object) =>
    'Downloads are off; turn "offline" off and "downloads" on in the settings first.',
  'download.noLogin': (d: { file: string }) =>
    `There is no Hub login on this machine (neither HF_TOKEN nor ${d.file}); log in with: hf auth login`,
  'download.openLogin': (d: { host: string }) =>
    `Your Hub login would go to ${d.host} unencrypted, so it was not sent; use an https address in HF_ENDPOINT.`,
  'download.noModel': (d: { repository: string; folder: string }) =>
    `${d.repository} has no weights in ${d.folder} that can be read here; choose a repository in diffusers' layout.`,
  'download.noRoom': (d: { folder: string; gigabytes: string }) =>
    `${d.gigabytes} GB do not fit on the disk that holds ${d.folder}; free some space and try again.`,
  'download.failed': (d: { file: string; why: string }) =>
    `${d.file} could not be downloaded (${d.why}); try again to resume where it stopped.`,
  'download.refused': (d: { file: string; why: string }) => `${d.file} could not be downloaded: ${d.why}.`,
  'download.wantsLogin': (d: { file: string; id: string; why: string }) =>
    `${d.file} could not be downloaded: ${d.why}; check the name, or use your login with --login.`,
  'download.wantsConsent': (d: { file: string; id: string }) =>
    `${d.file} could not be downloaded: its owner asks for consent first; open its page on the Hub, accept the terms, and use your login with --login.`,
  'download.changed': (d: { file: string }) =>
    `${d.file} does not match its published hash, so it was discarded; try again, or choose another model.`,
  'offline.blocked': (d: { host: string }) =>
    `The connection to ${d.host} was blocked because Likeness is offline; open the offline lock to allow it.`,
  'job.crashed': (d: { title: string; why: string; kept: string | undefined }) =>
    d.kept === undefined
      ? `${d.title} ended unexpectedly (${d.why}) before anything was finished; try again to start it over.`
      : `${d.title} ended unexpectedly (${d.why}). ${d.kept}; try again to resume from there.`,
  'job.unreadable': (d: { title: string; why: string }) =>
    `The library's record of this job can't be read (${d.title}: ${d.why}). Clear it from the queue and start it again.`,
  'job.wrongState': (d: { title: string; state: string }) =>
    `${d.title} is ${d.state}, so this is not possible now.`,
  'request.unknown': (d: { request: string }) =>
    `There is no request "${d.request}"; reload the page, which may be older than the studio.`,
  'request.invalid': (d: { field: string; why: string }) => `"${d.field}" cannot be used: ${d.why}.`,
  'request.refused': (d: { why: string }) => `Refused: ${d.why}.`,
  'request.tooLarge': (d: { max: string }) => `This is too large; the limit is ${d.max}.`,
  'request.onlyApp': (_d: object) =>
    'This works only in the Likeness window; in the browser, type or choose the path instead.',
  'connection.lost': (_d: object) =>
    'The connection to Likeness was lost; it returns by itself once the studio is running.',
  'serve.host': (d: { host: string }) =>
    `--host ${d.host} would show your photos to the network unencrypted; give --tls-cert and --tls-key too, or tunnel: ssh -L.`,
  'serve.port': (d: { port: number; why: string }) =>
    `Port ${d.port} can't be opened (${d.why}); choose another --port.`,
  'serve.notBuilt': (d: { folder: string }) =>
    `The studio's window is not in ${d.folder}; run "npm run build" in the checkout first.`,
};
