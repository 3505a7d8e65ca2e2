/** Credentials come from existing keys of Secrets, and appear nowhere else. */
import type { Container, KubeObject } from '../../../kube/api/types.ts';
import { field } from '../../../kube/manifests/objects.ts';
import { containersOf, selectedNothing } from '../select.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/** `scheme://user:password@host`; a variable reference `$(…)` is not a password. */
const URL_WITH_PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:(?!\$\()[^\s/@]+@/i;

/**
 * Every container that has one of these variables takes it from a Secret, and no other object contains a URL with a password.
 */
export function credentialsAreInSecrets(
  objects: readonly KubeObject[],
  variables: readonly string[],
): PredicateResult {
  const expected = `${variables.join(', ')} come from Secrets, and no other object contains a URL with a password`;
  const used = containersOf(objects).flatMap(({ title, container }) =>
    (container.env ?? [])
      .filter(({ name }) => variables.includes(name))
      .map((entry) => ({ title: `${title}: ${entry.name}`, entry })),
  );
  if (used.length === 0) return selectedNothing(expected, `no container has ${variables.join(' or ')}`);
  const open = used
    .filter(({ entry }) => entry.valueFrom?.['secretKeyRef'] === undefined)
    .map(
      ({ title, entry }) =>
        `${title} is ${entry.value === undefined ? 'not from a Secret' : 'in plain text'}`,
    );
  const urls = objects
    .filter(({ kind }) => kind !== 'Secret')
    .filter((object) => URL_WITH_PASSWORD.test(JSON.stringify(object)))
    .map(({ kind, metadata }) => `${kind} ${metadata.name} has a URL with a password`);
  return {
    ...nothingWrong(expected, [...open, ...urls]),
    observed: used.map(({ title }) => title),
  };
}

interface SecretKey {
  title: string;
  secret: string;
  key: string;
  optional: boolean;
}

/**
 * Every key that a container takes from the Secret is documented and exists, unless the reference is optional; and every documented key is
 * used.
 *
 * @param secret name of the documented Secret
 */
export function secretKeysExist(
  objects: readonly KubeObject[],
  secret: string,
  documented: readonly string[],
): PredicateResult {
  const found = objects.find((o) => o.kind === 'Secret' && o.metadata.name === secret);
  const present = new Set(
    ['data', 'stringData'].flatMap((form) => Object.keys((field(found, form) as object | undefined) ?? {})),
  );
  const references = containersOf(objects)
    .flatMap(({ title, container }) => secretKeys(title, container))
    .filter((reference) => reference.secret === secret);
  const expected = `Secret ${secret} has every key that a container takes from it, of ${documented.join(', ')}`;
  if (references.length === 0)
    return selectedNothing(expected, `no container takes anything from Secret ${secret}`);
  const complaints = references.flatMap(({ title, key, optional }) => {
    if (!documented.includes(key)) return [`${title} takes ${key}, which is not documented`];
    return present.has(key) || optional ? [] : [`${title} takes ${key}, which the Secret does not have`];
  });
  const unused = documented
    .filter((key) => !references.some((reference) => reference.key === key))
    .map((key) => `no container takes ${key}`);
  return {
    ...nothingWrong(expected, [...complaints, ...unused]),
    observed: references.map(({ title, key }) => `${title} takes ${key}`),
  };
}

function secretKeys(title: string, { env = [] }: Container): SecretKey[] {
  return env.flatMap(({ valueFrom }) => {
    const { name, key, optional = false } = valueFrom?.['secretKeyRef'] ?? {};
    return name === undefined || key === undefined ? [] : [{ title, secret: name, key, optional }];
  });
}
