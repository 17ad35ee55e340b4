// Paints a list of drawing operations, packed by package canvas, in one call
// from Go: a call for each operation would cost more than the painting.
"use strict";
(() => {
  const FIELDS = 18;
  const INKS = ["", "--paper", "--sheet", "--sunk", "--line", "--line-strong", "--ink", "--ink-2",
    "--accent", "--accent-ink", "--run", "--idle", "--wait", "--drain", "--k0", "--k1", "--k2", "--k3", "--k4"];
  const FONTS = [["", 12, 0], ["600", 13, 0], ["", 11, 0], ["", 10.5, 1], ["", 8.5, 1], ["", 12, 1]];
  const DASHES = [[], [3, 3], [2, 4]];
  const ALIGN = ["left", "center", "right"];
  const TURN = 2 * Math.PI;

  let colours = null;
  let families = ["sans-serif", "monospace"];
  let patterns = new Map();

  // read resolves the theme's tokens to colours that a canvas understands.
  function read() {
    const probe = document.createElement("span");
    document.body.append(probe);
    colours = INKS.map((name) => {
      if (!name) return "transparent";
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    });
    families = ["--sans", "--mono"].map((name) => {
      probe.style.fontFamily = `var(${name})`;
      return getComputedStyle(probe).fontFamily;
    });
    probe.remove();
    patterns = new Map();
  }

  function hatch(ctx, kind, ink, scale) {
    const key = `${kind} ${ink} ${scale}`;
    let pattern = patterns.get(key);
    if (pattern) return pattern;
    const size = (kind === 1 ? 6 : 4) * scale;
    const tile = new OffscreenCanvas(size, size);
    const t = tile.getContext("2d");
    t.scale(scale, scale);
    const n = size / scale;
    t.fillStyle = colours[ink];
    t.strokeStyle = colours[ink];
    t.globalAlpha = kind === 1 ? 0.25 : 0.3;
    t.fillRect(0, 0, n, n);
    t.globalAlpha = 1;
    if (kind === 1) {
      t.lineWidth = 1.7;
      t.beginPath();
      for (const d of [-n, 0, n]) {
        t.moveTo(d - 1, n + 1);
        t.lineTo(d + n + 1, -1);
      }
      t.stroke();
    } else {
      t.beginPath();
      t.arc(n / 2, n / 2, 1.1, 0, TURN);
      t.fill();
    }
    pattern = ctx.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / scale));
    patterns.set(key, pattern);
    return pattern;
  }

  // glyph traces the shape of an event's key.
  function glyph(ctx, shape, x, y, r) {
    ctx.beginPath();
    switch (shape) {
      case 0: ctx.arc(x, y, r, 0, TURN); break;
      case 1: ctx.roundRect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8, r * 0.2); break;
      case 2: ctx.moveTo(x, y - r * 1.15); ctx.lineTo(x + r * 1.1, y + r * 0.85); ctx.lineTo(x - r * 1.1, y + r * 0.85); break;
      case 3: ctx.moveTo(x, y - r * 1.2); ctx.lineTo(x + r * 1.2, y); ctx.lineTo(x, y + r * 1.2); ctx.lineTo(x - r * 1.2, y); break;
      default:
        ctx.moveTo(x - r * 0.55, y - r); ctx.lineTo(x + r * 0.55, y - r); ctx.lineTo(x + r, y);
        ctx.lineTo(x + r * 0.55, y + r); ctx.lineTo(x - r * 0.55, y + r); ctx.lineTo(x - r, y);
    }
    ctx.closePath();
  }

  // sluicePaint paints count operations of FIELDS numbers each on a canvas of
  // w by h CSS pixels. texts are the texts, a line each. It reports whether the
  // browser gave a drawing context.
  window.sluicePaint = (canvas, bytes, count, texts, w, h) => {
    const ctx = canvas.getContext("2d");
    if (!ctx) return false;
    if (!colours) read();
    const scale = Math.max(1, Math.min(3, window.devicePixelRatio || 1));
    const pw = Math.round(w * scale), ph = Math.round(h * scale);
    if (canvas.width !== pw || canvas.height !== ph) {
      canvas.width = pw;
      canvas.height = ph;
      canvas.style.height = `${h}px`;
    }
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.clearRect(0, 0, w, h);
    const op = new Float32Array(bytes.buffer, 0, count * FIELDS);
    const lines = texts.split("\n");
    let font = "", align = -1, clips = 0;
    ctx.textBaseline = "alphabetic";
    for (let i = 0, o = 0; i < count; i++, o += FIELDS) {
      const kind = op[o], x = op[o + 1], y = op[o + 2], ww = op[o + 3], hh = op[o + 4], r = op[o + 5];
      const fill = op[o + 8], line = op[o + 9];
      ctx.globalAlpha = op[o + 13] || 1;
      switch (kind) {
        case 5: {
          const f = op[o + 15], a = op[o + 16];
          if (`${f} ${r}` !== font) {
            const [weight, size, family] = FONTS[f];
            ctx.font = `${weight} ${size * (r || 1)}px ${families[family]}`;
            font = `${f} ${r}`;
          }
          if (a !== align) {
            ctx.textAlign = ALIGN[a];
            align = a;
          }
          if (line) { // a halo, so that the words stand clear of what is behind
            ctx.strokeStyle = colours[line];
            ctx.lineWidth = op[o + 10] || 3;
            ctx.lineJoin = "round";
            ctx.setLineDash([]);
            ctx.strokeText(lines[op[o + 17]], x, y);
          }
          ctx.fillStyle = colours[fill];
          ctx.fillText(lines[op[o + 17]], x, y);
          continue;
        }
        case 6:
          ctx.save();
          clips++;
          ctx.beginPath();
          ctx.rect(x, y, ww, hh);
          ctx.clip();
          continue;
        case 7:
          if (clips > 0) {
            clips--;
            ctx.restore();
            font = "";
            align = -1;
          }
          continue;
        case 0:
          ctx.beginPath();
          if (r > 0) ctx.roundRect(x, y, ww, hh, r);
          else ctx.rect(x, y, ww, hh);
          break;
        case 1: ctx.beginPath(); ctx.arc(x, y, r, 0, TURN); break;
        case 2: ctx.beginPath(); ctx.arc(x, y, r, (op[o + 6] - 0.25) * TURN, (op[o + 7] - 0.25) * TURN); break;
        case 3: glyph(ctx, op[o + 14], x, y, r); break;
        case 4: ctx.beginPath(); ctx.moveTo(x, y); ctx.lineTo(x + ww, y + hh); break;
      }
      if (fill) {
        const h2 = op[o + 12];
        ctx.fillStyle = h2 ? hatch(ctx, h2, fill, scale) : colours[fill];
        ctx.fill();
      }
      if (line) {
        ctx.strokeStyle = colours[line];
        ctx.lineWidth = op[o + 10] || 1;
        ctx.setLineDash(DASHES[op[o + 11]]);
        ctx.stroke();
      }
    }
    while (clips-- > 0) ctx.restore();
    return true;
  };

  // sluiceColours forgets the theme's colours and returns those of the charts.
  window.sluiceColours = () => {
    read();
    return colours;
  };
})();
