// unique: no value of the field comes twice among the newest ones.
#include <bit>
#include <unordered_set>

#include "core/hash.h"
#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class Unique final : public RowCheck {
 public:
  Unique(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "not_unique"), capacity_(static_cast<std::size_t>(params.integer("remember"))) {
    ring_.reserve(capacity_);
    known_.reserve(capacity_);
  }
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<Unique>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& c = column(rows);
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (c.cells[r] != Cell::kValid) {
        hits.skip(r);
      } else if (!remember(hash_of(rows, c, r))) {
        hits.fail(r, is_numeric(c.kind) ? c.numbers[r] : 0);
      }
    }
  }

  void save(ByteWriter& out) const override {
    out.u32(static_cast<std::uint32_t>(ring_.size()));
    for (const std::uint64_t h : ring_) out.u64(h);
    out.u64(next_);
  }
  Status load(ByteReader& in) override {
    ring_.clear();
    known_.clear();
    for (std::uint32_t n = in.count(static_cast<std::uint32_t>(capacity_), 8); n > 0; --n) {
      ring_.push_back(in.u64());
      known_.insert(ring_.back());
    }
    next_ = in.u64();
    if (next_ >= std::max<std::size_t>(1, capacity_) || known_.size() != ring_.size()) in.fail();
    return in.done("state of check unique");
  }

 private:
  std::uint64_t hash_of(const Rows& rows, const Column& c, std::uint32_t r) const {
    if (is_numeric(c.kind)) {
      const auto bits = std::bit_cast<std::uint64_t>(c.numbers[r] + 0.0);
      return hash64({reinterpret_cast<const char*>(&bits), sizeof bits});
    }
    if (c.kind == FieldKind::kText) return hash64(rows.batch.text(c, r));
    if (c.codes[r] == Dictionary::kNone) return 0;
    return hash64(rows.dictionaries.categories[field()].text(c.codes[r]));
  }
  // False when it was known.
  bool remember(std::uint64_t h) {
    if (!known_.insert(h).second) return false;
    if (ring_.size() < capacity_) {
      ring_.push_back(h);
      return true;
    }
    known_.erase(ring_[next_]);
    ring_[next_] = h;
    next_ = (next_ + 1) % capacity_;
    return true;
  }

  std::size_t capacity_;
  std::vector<std::uint64_t> ring_;
  std::unordered_set<std::uint64_t> known_;
  std::size_t next_ = 0;
};

}  // namespace

void register_unique(CheckRegistry& registry) {
  add_row_check<Unique>(
      registry,
      {.name = "unique",
       .summary = "No value comes twice",
       .applies_to = "any field",
       .params = {{.name = "remember", .type = ParamType::kInteger, .sentence = "So many of the newest distinct values are compared with, in each partition", .default_text = "100000", .min = 1, .max = 10000000}},
       .source = "Deequ isUnique, GX expect_column_values_to_be_unique, over a bounded memory",
       .example = "{check: unique, field: record_id}",
       .reasons = {{"not_unique", "more than max_share of the values were seen before"}},
       .notes = "Over all sensors of a partition, by a 64-bit hash. Nulls and NaN are not judged. Memory: about 50 bytes a remembered value, once a partition; a hash and a look-up a record."},
      FieldUse::kRequired, {});
}

}  // namespace driftd::rules
