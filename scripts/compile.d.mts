export function compile(root: string): Promise<string>;
export function compileSuite(root: string, suite: string): Promise<string>;
