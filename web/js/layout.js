// Places for the nodes of a graph, in rows from top to bottom, and lines between them.
export const NODE = { width: 148, height: 34 };
const GAP = { across: 22, down: 32 };
const BEND = 10; // width that a line takes in a row that it passes

// Returns the size of the drawing, the middle of each node, and an SVG path for each edge.
export function layOut({ nodes, edges }) {
  const names = nodes.map(({ name }) => name);
  const back = loops(names, edges);
  const rows = ranked(names, edges, back);
  const rowOf = Object.fromEntries(rows.flatMap((row, y) => row.map(({ id }) => [id, y])));
  // A line that passes a row bends around its nodes, at a place of its own.
  const ways = edges.map(([from, to], i) => {
    const passed = [];
    for (let y = rowOf[from] + 1; y < rowOf[to]; y++) {
      rows[y].push({ id: `${i}:${y}`, width: BEND });
      passed.push(`${i}:${y}`);
    }
    return [from, ...passed, to];
  });
  const steps = ways.filter((_, i) => !back.has(i)).flatMap((way) => way.slice(1).map((id, k) => [way[k], id]));
  for (let round = 0; round < 4; round++) untangle(rows, steps);
  const width = Math.max(...rows.map(widthOf)) + 2 * BEND;
  const places = Object.fromEntries(rows.flatMap((row, y) => placed(row, width, NODE.height * (y + 0.5) + GAP.down * y + BEND)));
  return { width, height: rows.length * (NODE.height + GAP.down) - GAP.down + 2 * BEND, places, lines: ways.map((way, i) => line(way, places, back.has(i))) };
}

// The edges, by index, that lead back to where a walk came from.
function loops(names, edges) {
  const back = new Set(), done = new Set(), open = new Set();
  const walk = (name) => {
    open.add(name);
    edges.forEach(([from, to], i) => {
      if (from !== name) return;
      if (open.has(to)) back.add(i);
      else if (!done.has(to)) walk(to);
    });
    open.delete(name);
    done.add(name);
  };
  for (const name of names) if (!done.has(name)) walk(name);
  return back;
}

// Each node in the row behind the last of those that lead to it.
function ranked(names, edges, back) {
  const rank = Object.fromEntries(names.map((name) => [name, 0]));
  for (let round = 0; round < names.length; round++) {
    edges.forEach(([from, to], i) => { if (!back.has(i)) rank[to] = Math.max(rank[to], rank[from] + 1); });
  }
  const rows = Array.from({ length: Math.max(...Object.values(rank)) + 1 }, () => []);
  for (const name of names) rows[rank[name]].push({ id: name, width: NODE.width });
  return rows;
}

// Sorts each row by the middle of what it is joined to, so that fewer lines cross.
function untangle(rows, steps) {
  const at = Object.fromEntries(rows.flatMap((row) => row.map(({ id }, k) => [id, (k + 0.5) / row.length])));
  for (const row of [...rows, ...[...rows].reverse()]) {
    const middle = ({ id }) => {
      const near = steps.flatMap(([a, b]) => (a === id ? [at[b]] : b === id ? [at[a]] : []));
      return near.reduce((sum, x) => sum + x, 0) / near.length;
    };
    const wanted = new Map(row.map((item) => [item, middle(item)]));
    row.sort((a, b) => wanted.get(a) - wanted.get(b));
    row.forEach(({ id }, k) => { at[id] = (k + 0.5) / row.length; });
  }
}

const widthOf = (row) => row.reduce((sum, { width }) => sum + width + GAP.across, -GAP.across);

function placed(row, width, y) {
  let left = (width - widthOf(row)) / 2;
  return row.map((item) => {
    const x = left + item.width / 2;
    left += item.width + GAP.across;
    return [item.id, { x, y }];
  });
}

// From the lower side of a node to the upper side of the next; back up beside the way down.
function line(way, places, back) {
  const half = NODE.height / 2, side = back ? 14 : 0, up = back ? -1 : 1;
  let [{ x, y }, ...rest] = way.map((id) => places[id]);
  y += up * half;
  let path = `M${x + side} ${y}`;
  for (const next of rest) {
    const end = next.y - up * half;
    const middle = (y + end) / 2;
    path += `C${x + side} ${middle} ${next.x + side} ${middle} ${next.x + side} ${end}V${next === rest.at(-1) ? end : next.y + half}`;
    [x, y] = [next.x, next.y + half];
  }
  return path;
}
