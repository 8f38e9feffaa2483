// The server's sign of life. Ages and the clock are counted here from the server's time, so that they go on growing when
// nothing arrives any more, and the page says itself that it is cut off.
const TICK_MS = 250;

export default {
  template: `
    <div class="pulse"><div v-if="lost" class="banner banner-bad" role="alert" data-testid="connection-lost">✘ {{ lost }}</div></div>`,
  props: { now: Number, zone: String, locale: String, patience: Number, text: String, units: Object },
  data() {
    return { lost: "" };
  },
  created() {
    this.offset = this.now - performance.now();
    this.heard = performance.now();
  },
  watch: {
    now(value) {
      const here = performance.now();
      this.heard = here;
      this.offset = value - here;
    },
  },
  mounted() {
    const options = { timeZone: this.zone, hour12: false };
    this.time = new Intl.DateTimeFormat("en-GB", { ...options, hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.day = new Intl.DateTimeFormat(this.locale, { ...options, weekday: "long", day: "numeric", month: "long", year: "numeric" });
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  },
  unmounted() {
    clearInterval(this.timer);
  },
  methods: {
    tick() {
      const here = performance.now();
      const now = here + this.offset;
      const lost = here - this.heard > this.patience * 1000;
      document.body.classList.toggle("is-lost", lost);
      this.lost = lost ? this.text.replace("{since}", this.time.format(this.heard + this.offset)) : "";
      for (const element of document.querySelectorAll("[data-clock]"))
        write(element, element.dataset.clock === "day" ? this.day.format(now) : this.time.format(now));
      for (const element of document.querySelectorAll("[data-age]")) this.age(element, now);
    },
    age(element, now) {
      const seconds = Math.max(0, (now - Number(element.dataset.age)) / 1000);
      const { late, old, stopped } = element.dataset;
      if (late) element.classList.toggle("is-late", seconds > Number(late));
      let say = "{age}";
      if (old) {
        const level = seconds > Number(stopped) ? "bad" : seconds > Number(old) ? "warn" : "ok";
        element.dataset.level = level;
        say = { ok: element.dataset.sayOk, warn: element.dataset.sayWarn, bad: element.dataset.sayBad }[level];
      }
      write(element, say.replace("{age}", span(Math.floor(seconds), this.units)));
    },
  },
};

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function span(seconds, units) {
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} ${units.hour} ${two(Math.floor((seconds % 3600) / 60))} m`;
  return `${Math.floor(seconds / 86400)} ${units.day} ${Math.floor((seconds % 86400) / 3600)} ${units.hour}`;
}
