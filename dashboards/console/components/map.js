// The corridor as SVG. Looks arrive by push as props; hovering, the mode and the scale of text are the browser's own business.
export default {
  template: `
    <section class="card map-card" data-testid="map" :data-mode="mode">
      <header class="card-head">
        <h2>{{ title }}<span class="sub" data-testid="map-subtitle">{{ subtitle }}</span></h2>
        <div class="segments" role="group">
          <button v-for="m in modes" :key="m.key" type="button" :aria-pressed="mode === m.key" :data-testid="'map-mode-' + m.key"
            @click="choose(m.key)">{{ m.title }}</button>
        </div>
      </header>
      <div class="map-body" ref="body">
        <svg ref="svg" :viewBox="'0 0 ' + drawing.width + ' ' + drawing.height" preserveAspectRatio="xMidYMid meet"
          @mouseleave="tip = null">
          <g v-for="link in drawing.links" :key="link.id" :class="['link', 'look-' + look(link.id)]" :data-testid="'link-' + link.id"
            :data-look="look(link.id)" :data-kmh="state(link.id).kmh" :data-start="state(link.id).start"
            @mousemove="hover($event, state(link.id).tip)" @mouseleave="tip = null" @click="$emit('link', link.id)">
            <path class="hit" :d="link.d" />
            <path class="casing" :d="link.d" />
            <path class="stroke" :d="link.d" />
            <polygon class="head" :points="link.arrow" />
          </g>
          <g v-for="j in drawing.junctions" :key="j.id" class="junction-label" :transform="'translate(' + j.x + ' ' + j.y + ')'">
            <text v-for="(part, i) in j.label" :key="i" :text-anchor="j.anchor"
              :y="((i - (j.label.length - 1) / 2) * 14 + 4.5) * unit">{{ part }}</text>
          </g>
          <g v-for="m in drawing.marks" :key="m.id" :class="['mark', 'mark-' + m.kind, 'severity-' + severity(m.id)]"
            :transform="'translate(' + m.x + ' ' + m.y + ') scale(' + unit + ')'" :data-testid="'mark-' + m.id"
            :data-severity="severity(m.id)" @mousemove="hover($event, (marks[m.id] || {}).tip)" @mouseleave="tip = null"
            @click="m.junction && $emit('junction', m.junction)">
            <circle v-if="m.kind === 'atc'" r="8.5" />
            <path v-else-if="m.kind === 'cctv'" d="M-9 -6 H4 V6 H-9 Z M4 -2 L10 -6 V6 L4 2 Z" />
            <rect v-else-if="m.kind === 'vms'" x="-10" y="-6.5" width="20" height="13" rx="1.5" />
            <path v-else-if="m.kind === 'net'" d="M0 -9 L9 0 L0 9 L-9 0 Z" />
            <path v-else d="M0 8 L-9 -3 A 13 13 0 0 1 9 -3 Z" />
            <text v-if="severity(m.id) === 'bad' || severity(m.id) === 'warn'" class="sign" y="4">{{ severity(m.id) === 'bad' ? '×' : '!' }}</text>
            <text v-if="m.pointer" class="pointer" x="13" y="5">{{ m.pointer }}</text>
          </g>
        </svg>
        <div v-if="tip" class="tip" :style="tip.style" data-testid="map-tip">
          <strong>{{ tip.title }}</strong>
          <div v-for="(line, i) in tip.lines" :key="i">{{ line }}</div>
          <div v-if="tip.heard_ms">{{ words.last_heard }} <span :data-age="tip.heard_ms"></span> {{ words.ago }}</div>
        </div>
        <div class="note">{{ note }}</div>
      </div>
      <footer class="legend">
        <span v-for="item in legends[mode]" :key="item.look" :class="['legend-item', 'look-' + item.look]">
          <svg width="34" height="12" viewBox="0 0 34 12"><path class="stroke" d="M2 6 H32" /></svg>{{ item.title }}
        </span>
        <span class="legend-break"></span>
        <span v-for="item in kinds" :key="item.kind" class="legend-item mark severity-ok">
          <svg width="22" height="20" viewBox="-11 -10 22 20">
            <circle v-if="item.kind === 'atc'" r="8" />
            <path v-else-if="item.kind === 'cctv'" d="M-9 -6 H4 V6 H-9 Z M4 -2 L10 -6 V6 L4 2 Z" />
            <rect v-else-if="item.kind === 'vms'" x="-10" y="-6.5" width="20" height="13" rx="1.5" />
            <path v-else-if="item.kind === 'net'" d="M0 -8 L8 0 L0 8 L-8 0 Z" />
            <path v-else d="M0 8 L-9 -3 A 13 13 0 0 1 9 -3 Z" />
          </svg>{{ item.title }}
        </span>
        <span v-for="level in ['warn', 'bad']" :key="level" :class="['legend-item', 'mark', 'severity-' + level]">
          <svg width="22" height="20" viewBox="-11 -10 22 20"><circle r="8" /><text class="sign" y="4">{{ level === 'bad' ? '×' : '!' }}</text></svg>
          {{ words[level] }}
        </span>
      </footer>
    </section>`,
  props: {
    title: String,
    drawing: Object,
    links: Object,
    marks: Object,
    subtitle: String,
    first: String,
    note: String,
    modes: Array,
    legends: Object,
    kinds: Array,
    words: Object,
  },
  emits: ["link", "junction", "mode"],
  data() {
    return { mode: this.first, tip: null, unit: 1 };
  },
  mounted() {
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.$refs.body);
    this.measure();
  },
  unmounted() {
    this.observer.disconnect();
  },
  methods: {
    measure() {
      // Text and markers keep their size in pixels whatever the scale of the drawing.
      const { width, height } = this.$refs.body.getBoundingClientRect();
      const scale = Math.min(width / this.drawing.width, height / this.drawing.height);
      if (scale > 0) {
        this.unit = 1 / scale;
        this.$refs.svg.style.setProperty("--unit", this.unit);
      }
    },
    state(id) {
      return this.links[id] || {};
    },
    look(id) {
      return this.state(id)[this.mode] || "unknown";
    },
    severity(id) {
      return (this.marks[id] || {}).severity || "unknown";
    },
    choose(mode) {
      this.mode = mode;
      this.$emit("mode", mode);
    },
    hover(event, tip) {
      if (!tip) return;
      const box = this.$refs.body.getBoundingClientRect();
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      const style = x > box.width / 2 ? { right: `${box.width - x + 14}px` } : { left: `${x + 14}px` };
      if (y > box.height * 0.6) style.bottom = `${box.height - y + 10}px`;
      else style.top = `${y + 10}px`;
      this.tip = { ...tip, style };
    },
  },
};
