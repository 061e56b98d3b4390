/**
 * A fragment: the lines between two markers in a file that is otherwise written by hand. A marker is a line of its own, a
 * comment in the language of the file.
 */
export interface Fragment {
  readonly begin: string;
  readonly end: string;
  readonly lines: readonly string[];
}

/** In YAML; a file has one at most. */
export const yamlFragment = (lines: readonly string[]): Fragment => ({
  begin: '# generated: npm run generate',
  end: '# end',
  lines,
});

/** In Markdown, where the name tells the fragments of a file apart. */
export const markdownFragment = (name: string, lines: readonly string[]): Fragment => ({
  begin: `<!-- generated: ${name} (npm run generate) -->`,
  end: '<!-- end -->',
  // Without the empty lines, a table would count as part of the comment.
  lines: ['', ...lines, ''],
});

/**
 * The text with its fragments brought up to date, each indented like its marker.
 * @throws Error that names a marker that is missing or there twice.
 */
export function withFragments(text: string, fragments: readonly Fragment[]): string {
  return fragments.reduce(withFragment, text);
}

function withFragment(text: string, { begin, end, lines }: Fragment): string {
  const all = text.split('\n');
  const places = all.flatMap((line, index) => (line.trim() === begin ? [index] : []));
  const [from] = places;
  if (from === undefined || places.length > 1) {
    throw new Error(`the line "${begin}" is there ${places.length} times, not once`);
  }
  const to = all.findIndex((line, index) => index > from && line.trim() === end);
  if (to < 0) throw new Error(`no line "${end}" follows "${begin}"`);
  const indent = (all[from] ?? '').slice(0, (all[from] ?? '').indexOf(begin));
  const fresh = lines.map((line) => (line === '' ? '' : indent + line));
  return [...all.slice(0, from + 1), ...fresh, ...all.slice(to)].join('\n');
}
