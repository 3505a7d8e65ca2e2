/** The values of the chart that stand for the reference of an image, as for `--set`. */
export function imageValues(ref: string): string[] {
  const [, repository = ref, tag = 'latest'] = /^(.+?)(?::([^:/]+))?$/.exec(ref) ?? [];
  return [`image.repository=${repository}`, `image.tag=${tag}`];
}
