// The device table. Rows arrive sorted; the filter by kind is the browser's own business, ages are filled in by pulse.js.
export default {
  template: `
    <section class="card devices-card" data-testid="devices">
      <header class="card-head">
        <h2>{{ title }}</h2>
        <div class="segments" role="group">
          <button v-for="k in kinds" :key="k.key" type="button" :aria-pressed="kind === k.key" :data-testid="'kind-' + (k.key || 'all')"
            @click="kind = k.key">{{ k.title }}<span class="count">{{ count(k.key) }}</span></button>
        </div>
      </header>
      <div class="table-body" tabindex="0">
        <table>
          <thead><tr><th v-for="c in columns" :key="c.key" :class="'col-' + c.key" scope="col">{{ c.title }}</th></tr></thead>
          <tbody>
            <tr v-for="row in shown" :key="row.name" :class="'severity-' + row.severity" :data-testid="'device-row-' + row.name"
              :data-attention="row.attention" :data-kind="row.kind" :title="row.title">
              <td class="col-attention"><span class="badge"><i aria-hidden="true">{{ signs[row.severity] }}</i>{{ row.attention_word }}</span></td>
              <td class="col-kind">{{ row.kind_word }}</td>
              <td class="col-name">{{ row.name }}</td>
              <td :class="['col-presence', 'presence-' + row.presence]" :data-presence="row.presence">{{ row.presence_word }}</td>
              <td class="col-heard" :data-heard="row.heard_ms">
                <span v-if="row.heard_ms" :data-age="row.heard_ms" :data-late="row.silent_s"></span><span v-else>{{ never }}</span>
              </td>
              <td :class="['col-minute_quality', 'quality-' + row.quality]" :data-quality="row.quality">
                <span v-if="row.valid" class="valid">{{ row.valid }}</span>{{ row.quality_word }}</td>
              <td class="col-lost_15" :data-zero="row.lost === 0" :data-lost="row.lost">{{ row.lost }}</td>
              <td class="col-rejected_15" :data-zero="row.rejected === 0" :data-rejected="row.rejected">{{ row.rejected }}</td>
            </tr>
          </tbody>
        </table>
      </div>
    </section>`,
  props: { title: String, rows: Array, columns: Array, kinds: Array, never: String },
  data() {
    return { kind: "", signs: { bad: "✘", warn: "!", ok: "✔" } };
  },
  computed: {
    shown() {
      return this.kind ? this.rows.filter((row) => row.kind === this.kind) : this.rows;
    },
  },
  methods: {
    count(kind) {
      return kind ? this.rows.filter((row) => row.kind === kind).length : this.rows.length;
    },
  },
};
