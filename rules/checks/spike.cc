// spike: a value that jumps away from the sensor's recent level and comes back.
//
// The level is a median of the last five values and the scale a slow mean of absolute steps, so that a
// few floats do the work of Hampel's filter (Hampel 1974; Pearson 2002).
#include <algorithm>
#include <array>
#include <cmath>

#include "rules/row_check.h"
#include "rules/sensor_states.h"

namespace driftd::rules {
namespace {

struct Recent {
  static constexpr std::size_t kBytes = 53;
  std::array<double, 5> values{};
  double scale = 0;         // mean absolute step
  std::uint32_t count = 0;  // values seen, up to 2^32 - 1
  std::uint8_t away = 0;    // spikes in a row
  void save(ByteWriter& out) const {
    for (const double v : values) out.f64(v);
    out.f64(scale);
    out.u32(count);
    out.u8(away);
  }
  void load(ByteReader& in) {
    for (double& v : values) v = in.f64();
    scale = in.f64();
    count = in.u32();
    away = in.u8();
  }
  double median() const {
    std::array<double, 5> sorted = values;
    std::nth_element(sorted.begin(), sorted.begin() + 2, sorted.end());
    return sorted[2];
  }
  void add(double x) {
    const double step = count == 0 ? 0 : std::fabs(x - values[(count - 1) % 5]);
    scale = count <= 1 ? step : scale + (step - scale) * (count < 50 ? 1.0 / count : 0.02);
    values[count % 5] = x;
    if (++count == 0) count = 5;
  }
};

class Spike final : public RowCheck {
 public:
  Spike(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "spikes"),
        z_(params.number("z")),
        least_(params.number("min_jump")),
        reverts_(static_cast<std::uint8_t>(params.integer("reverts_within"))) {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<Spike>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for_each_number(column(rows), rows.range, hits, [&](std::uint32_t r, double x) {
      Recent& recent = states_.at(rows.batch.sensor[r]);
      if (recent.count < kWarmUp) {
        hits.skip(r);
        recent.add(x);
        return;
      }
      // For normal noise the mean absolute step is 1.128 standard deviations (2 / sqrt(pi)).
      const double jump = std::fabs(x - recent.median());
      const bool spike = jump > least_ && jump > z_ * recent.scale / 1.128;
      if (!spike || recent.away >= reverts_) {  // a new level, not a spike: follow it
        recent.away = 0;
        recent.add(x);
        return;
      }
      ++recent.away;
      hits.fail(r, jump);
    });
  }
  FindingKind kind() const override { return FindingKind::kFault; }
  void forget(std::uint32_t sensor) override { states_.forget(sensor); }
  void save(ByteWriter& out) const override { states_.save(out); }
  Status load(ByteReader& in) override { return states_.load(in, "spike"); }

 private:
  static constexpr std::uint32_t kWarmUp = 10;
  double z_, least_;
  std::uint8_t reverts_;
  SensorStates<Recent> states_;
};

}  // namespace

void register_spike(CheckRegistry& registry) {
  add_row_check<Spike>(
      registry,
      {.name = "spike",
       .summary = "No value jumps far away from the sensor's recent values and back",
       .applies_to = "number, integer",
       .params = {{.name = "z", .type = ParamType::kNumber, .sentence = "Jump, in standard deviations of the sensor's own steps, that counts as a spike", .default_text = "8", .min = 2, .max = 1000},
                  {.name = "min_jump", .type = ParamType::kNumber, .sentence = "Jumps up to this, in the field's unit, are none", .default_text = "0", .min = 0},
                  {.name = "reverts_within", .type = ParamType::kInteger, .sentence = "After so many spikes in a row the value counts as a new level", .default_text = "3", .min = 1, .max = 100}},
       .source = "Hampel filter (Hampel 1974) on a running median of 5 and a slow mean of absolute steps",
       .example = "{check: spike, field: vibration, z: 8}",
       .reasons = {{"spikes", "more than max_share of the values are spikes"}},
       .notes = "Nulls and NaN are not judged; a sensor's first 10 values warm it up. Spikes do not enter the level or the scale. State: 56 bytes a sensor."},
      FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger});
}

}  // namespace driftd::rules
