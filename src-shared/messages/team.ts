/** Training by several workers. */
export const teamMessages = {
  'team.listen': (d: { address: string; why: string }) =>
    `Workers can't be waited for at ${d.address} (${d.why}); choose another --listen.`,
  'team.unreachable': (d: { address: string }) =>
    `There is no run at ${d.address}; start it with --listen first, and see that this machine can reach that port.`,
  'team.refused': (d: { address: string; why: string }) =>
    `The run at ${d.address} does not take this worker (${d.why}); use the command it printed, and the same version of Likeness.`,
  'team.gone': (d: { address: string }) =>
    `The run at ${d.address} was interrupted; join again when it has been resumed.`,
  'team.otherModel': (d: { model: string; option: string }) =>
    `${d.model} is not the model of this run; say with ${d.option} where this machine has the same one.`,
  'team.hopeless': (d: { why: string }) =>
    `No worker process stays alive: ${d.why}. Use fewer --workers, or leave --workers out.`,
};
