/** Training by several workers. */
export const teamMessages = {
  'team.listen': (d: { address: string; why: string }) =>
    `Can't listen for workers at ${d.address} (${d.why}); choose another --listen.`,
  'team.unreachable': (d: { address: string }) =>
    `There is no run at ${d.address}; start it with --listen first, and check that this machine can reach that port.`,
  'team.refused': (d: { address: string; why: string }) =>
    `The run at ${d.address} refused this worker (${d.why}); use the command it printed and the same version of Likeness.`,
  'team.gone': (d: { address: string }) =>
    `The run at ${d.address} was interrupted; join again once it has been resumed.`,
  'team.notUnderstood': (d: { address: string }) =>
    `What answers at ${d.address} is not a run of this version; check the address, and use the same version of Likeness on both machines.`,
  'team.otherModel': (d: { model: string; option: string }) =>
    `${d.model} is not the model of this run; give this machine's copy of that model with ${d.option}.`,
  'team.noModel': (d: { hash: string; option: string }) =>
    `The model of this run (hash ${d.hash}) is not on this machine; give its copy with ${d.option}, or download it here first.`,
  'team.badRun': (d: { why: string }) =>
    `The run asks for something that this machine can't do (${d.why}); use the same version of Likeness on both machines.`,
  'team.hopeless': (d: { why: string }) =>
    `Every worker process ended: ${d.why}. Use fewer --workers, or leave --workers out.`,
};
