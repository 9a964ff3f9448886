// RowCheck: the common shape of checks that look at rows and are judged by the share that failed.
#pragma once

#include "rules/share.h"

namespace driftd::rules {

class RowCheck : public Check {
 public:
  // `reason` is the word of a failed judgement; a string literal.
  RowCheck(const Params& params, const CheckContext& context, const char* reason)
      : rule_(params), field_(context.field < 0 ? 0 : static_cast<std::size_t>(context.field)), reason_(reason) {}

  bool row_level() const final { return true; }
  Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    return rule_.judge(tally, window.rows - std::min(window.rows, tally.skipped), reason_);
  }

 protected:
  const Column& column(const Rows& rows) const { return rows.batch.columns[field_]; }
  std::size_t field() const { return field_; }

 private:
  ShareRule rule_;
  std::size_t field_;
  const char* reason_;
};

// Calls fn(row, number) for the valid cells of a numeric column and skips the others.
template <class F>
void for_each_number(const Column& column, RowRange range, RowHits& hits, F fn) {
  for (std::uint32_t r = range.begin; r < range.end; ++r) {
    if (column.cells[r] == Cell::kValid) {
      fn(r, column.numbers[r]);
    } else {
      hits.skip(r);
    }
  }
}

// Registers a row-level check. `reasons` are its own words.
template <class C>
void add_row_check(CheckRegistry& registry, Descriptor descriptor, FieldUse use, std::vector<FieldKind> kinds) {
  descriptor.params = share_params(std::move(descriptor.params));
  descriptor.reasons = share_reasons(std::move(descriptor.reasons));
  registry.add(std::move(descriptor),
               {use, std::move(kinds),
                [](const Params& params, const CheckContext& context) { return C::make(params, context); }});
}

// The usual make(): the constructor takes parameters and context and cannot fail.
template <class C>
Result<std::unique_ptr<Check>> make_check(const Params& params, const CheckContext& context) {
  return std::unique_ptr<Check>(std::make_unique<C>(params, context));
}

inline const std::vector<FieldKind>& numeric_kinds() {
  static const std::vector<FieldKind> kinds = {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag};
  return kinds;
}

}  // namespace driftd::rules
