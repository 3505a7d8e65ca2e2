/** Recognizes credentials by the name that they are given to, and masks them in command lines and addresses. */

export const MASK = '•••';

/** Words of a name whose value is a credential. */
const CREDENTIAL =
  /^(?:\w*(?:password|passwd|passphrase|secret|token|apikey)s?|pwd|pass|keys?|accesskeys?|privatekeys?|credentials?|creds|dsn|auth|authorization|bearer|jwt|dockerconfigjson)$/;
/** Last words of a name that is about a credential but holds none: `existingSecret`, `tokenTtl`, `secretName`. */
const ABOUT =
  /^(?:enabled?|disabled?|create|name|names|ref|refs|type|kind|size|length|bits|ttl|seconds|minutes|hours|days|path|file|files|dir|mount|policy|class|mode|method|algorithm|version|user|username|database|db|host|port|namespace|labels?|annotations?)$/;
/** Keys of labels and of selectors. */
const SELECTOR = /^(?:tolerations?|affinity|selector|topology|expressions?|label|annotation)$/;

/**
 * Whether a value of this name is a credential: `auth.rootPassword`, `API_KEY`, `db.connectionString`.
 *
 * @param path a key, or a path of keys as for `helm --set`
 */
export function isCredentialKey(path: string): boolean {
  const segments = path
    .split(/[.[\]/]+/)
    .filter((segment) => segment !== '')
    .map(wordsOf);
  const last = segments.at(-1) ?? [];
  const all = segments.flat();
  const ending = last.at(-1) ?? '';
  if (ABOUT.test(ending) || all.includes('existing')) return false;
  if (/^keys?$/.test(ending) && all.some((word) => SELECTOR.test(word))) return false;
  return all.some((word) => CREDENTIAL.test(word)) || last.join('').endsWith('connectionstring');
}

/** `rootPassword`, `ROOT_PASSWORD` and `root-password` have the same words. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** The credentials in the value of `--set`, which may assign several keys: `a.password=x,b=1`. */
export function credentialsOfSet(pairs: readonly string[]): { key: string; text: string }[] {
  return pairs
    .flatMap(assignmentsOf)
    .filter(({ key, value }) => isCredentialKey(key) && !isLabelKey(value))
    .map(({ key, value }) => ({ key, text: value.replace(/\\(.)/g, '$1') }));
}

/** The value of `--set` with `•••` for every credential. */
export function maskSet(pair: string): string {
  return assignmentsOf(pair)
    .map(({ key, value, text }) => (value !== '' && isCredentialKey(key) ? `${key}=${MASK}` : text))
    .join(',');
}

/** Splits at the commas that helm splits at: not escaped, not inside braces. What has no `=` belongs to the value before it. */
function assignmentsOf(pair: string): { key: string; value: string; text: string }[] {
  const texts: string[] = [];
  for (const piece of pair.split(/(?<!\\),(?![^{]*\})/)) {
    const last = texts.length - 1;
    if (last >= 0 && !/^[^={}"']+=/.test(piece)) texts[last] = `${texts[last] ?? ''},${piece}`;
    else texts.push(piece);
  }
  return texts.map((text) => {
    const equals = text.indexOf('=');
    return equals < 0
      ? { key: '', value: '', text }
      : { key: text.slice(0, equals), value: text.slice(equals + 1), text };
  });
}

/** A key of a label or taint is no credential, whatever it is assigned to. */
function isLabelKey(value: string): boolean {
  return /^[a-z0-9.-]+\.[a-z]+\/[A-Za-z0-9._-]+$/.test(value);
}

/** Arguments of a program with masked credentials: behind `--set` and its variants, and in addresses. */
export function maskArguments(args: readonly string[]): string[] {
  let assigns = false;
  return args.map((arg) => {
    const [, option, value] = /^(--set(?:-string|-file|-json|-literal)?=)(.*)$/s.exec(arg) ?? [];
    if (option !== undefined && value !== undefined) return `${option}${maskUserinfo(maskSet(value))}`;
    if (arg.startsWith('-')) {
      assigns = /^--set(?:-string|-file|-json|-literal)?$/.test(arg);
      return arg;
    }
    return maskUserinfo(assigns ? maskSet(arg) : arg);
  });
}

// An image with a digest, `docker-image://name:tag@sha256:…`, has no password.
const USERINFO = /\b([a-z][a-z0-9+.-]{1,30}:\/\/[^\s:/?#@"'<>\\]{0,256}:)([^\s/"'<>\\]{1,512})@(?!sha256:)/gi;

/** Masks the password of `scheme://user:password@host`, unless it is a placeholder: `$PASSWORD`, `<password>`. */
export function maskUserinfo(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(USERINFO, (whole, before: string, password: string) =>
    /^(?:[$<{%*•]|password$)/i.test(password) ? whole : `${before}${MASK}@`,
  );
}
