import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { packageRoot } from '../../programs/config.ts';

const BYTES_MAX = 4096;

describe('llms.txt', () => {
  const text = readFileSync(new URL('llms.txt', packageRoot), 'utf8');
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, to = '']) => to);

  it('has the form that machine readers know: a title, a summary, then lists of links with a word on each', () => {
    const [intro = '', ...sections] = text.split(/^## /m);
    expect(intro).to.match(/^# [^\n]+\n\n> [^\n]+\n\n/);
    for (const section of sections) {
      expect(section).to.match(/^[^\n]+\n\n(- \[[^\]]+\]\([^)]+\): [^\n]+\n)+\n?$/);
    }
    expect(sections.at(-1)).to.match(/^Optional\n/);
    expect(text.length).to.be.at.most(BYTES_MAX);
  });

  it('links to what exists, each once', () => {
    expect(links.filter((to) => !existsSync(new URL(to, packageRoot)))).to.deep.equal([]);
    expect(new Set(links).size).to.equal(links.length);
  });

  it('leads to every page of docs/ itself', () => {
    const pages = readdirSync(new URL('docs', packageRoot)).filter((name) => name.endsWith('.md'));
    expect(links).to.include.members(pages.map((name) => `docs/${name}`));
  });
});
