// duplicate: the same record of a sensor again.
#include <array>
#include <bit>

#include "rules/row_check.h"
#include "rules/sensor_states.h"

namespace driftd::rules {
namespace {

struct Ring {
  static constexpr std::size_t kBytes = 65;
  std::array<std::uint64_t, 8> hashes{};  // 0: none
  std::uint8_t next = 0;
  void save(ByteWriter& out) const {
    for (const std::uint64_t h : hashes) out.u64(h);
    out.u8(next);
  }
  void load(ByteReader& in) {
    for (std::uint64_t& h : hashes) h = in.u64();
    next = in.u8() & 7;
  }
};

std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
  return h ^ (h >> 29);
}

class Duplicate final : public RowCheck {
 public:
  Duplicate(const Params& params, const CheckContext& context) : RowCheck(params, context, "duplicates"), field_(context.field) {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<Duplicate>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const std::uint64_t h = hash_of(rows, r) | 1;
      Ring& ring = states_.at(rows.batch.sensor[r]);
      bool seen = false;
      for (const std::uint64_t before : ring.hashes) seen = seen || before == h;
      if (seen) {
        hits.fail(r, 1);
      } else {
        ring.hashes[ring.next] = h;
        ring.next = (ring.next + 1) & 7;
      }
    }
  }
  void forget(std::uint32_t sensor) override { states_.forget(sensor); }
  void save(ByteWriter& out) const override { states_.save(out); }
  Status load(ByteReader& in) override { return states_.load(in, "duplicate"); }

 private:
  std::uint64_t hash_of(const Rows& rows, std::uint32_t r) const {
    std::uint64_t h = mix(0x243f6a8885a308d3ULL, static_cast<std::uint64_t>(rows.batch.event_time[r]));
    for (std::size_t f = 0; f < rows.batch.columns.size(); ++f) {
      if (field_ >= 0 && f != static_cast<std::size_t>(field_)) continue;
      const Column& c = rows.batch.columns[f];
      h = mix(h, static_cast<std::uint64_t>(c.cells[r]));
      if (c.cells[r] != Cell::kValid) continue;
      if (is_numeric(c.kind)) {
        h = mix(h, std::bit_cast<std::uint64_t>(c.numbers[r] + 0.0));  // -0 is 0
      } else if (c.kind == FieldKind::kCategory) {
        h = mix(h, c.codes[r]);
      } else {
        for (const char ch : rows.batch.text(c, r)) h = mix(h, static_cast<unsigned char>(ch));
      }
    }
    return h;
  }

  int field_;
  SensorStates<Ring> states_;
};

}  // namespace

void register_duplicate(CheckRegistry& registry) {
  add_row_check<Duplicate>(
      registry,
      {.name = "duplicate",
       .summary = "No record of a sensor comes twice",
       .applies_to = "stream, or any field",
       .params = {},
       .source = "duplicate rows, as in Evidently and Great Expectations, per sensor and with bounded memory",
       .example = "{check: duplicate, max_share: 0.001}",
       .reasons = {{"duplicates", "more than max_share of the records were seen before"}},
       .notes = "A record is a duplicate when its sensor, event time and all declared fields (with field: that one) equal one of the sensor's last 8 distinct records; compared by a 64-bit hash. Nulls compare equal. Counted as driftd_records_total{result=\"duplicate\"} too. State: 72 bytes a sensor."},
      FieldUse::kOptional, {});
}

}  // namespace driftd::rules
