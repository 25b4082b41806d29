/** A model of the Hub: "owner/name", and a branch, tag or commit. */
export interface HubId {
  readonly repository: string;
  readonly revision: string;
}

/** Reads `owner/name`, `owner/name@revision` or the address of its page, with or without https; undefined for anything else. */
export function readHubId(word: string): HubId | undefined {
  const [, repository, revision = 'main'] =
    /^(?:(?:https?:\/\/)?(?:huggingface\.co|hf\.co)\/)?([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*?)(?:(?:@|\/tree\/)(\w[\w.-]*))?\/?$/.exec(
      word,
    ) ?? [];
  return repository === undefined ? undefined : { repository, revision };
}
