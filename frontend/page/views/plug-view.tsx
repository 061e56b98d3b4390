export function PlugView() {
  return null;
}
