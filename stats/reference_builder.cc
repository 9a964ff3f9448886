#include "stats/reference_builder.h"

#include <algorithm>
#include <cmath>

#include "core/hash.h"

namespace driftd::stats {
namespace {

FieldProfile profile_of(const Field& field, const FieldSummary& summary) {
  FieldProfile p;
  p.name = field.name;
  p.kind = field.kind;
  p.valid = summary.valid;
  p.missing = summary.missing;
  p.null = summary.null;
  p.wrong_type = summary.wrong_type;
  p.not_finite = summary.not_finite;
  p.moments = summary.moments;
  if (summary.bins != nullptr) p.bins = *summary.bins;
  p.bin_counts.assign(summary.bin_counts.begin(), summary.bin_counts.end());
  p.bin_sums.assign(summary.bin_sums.begin(), summary.bin_sums.end());
  p.bin_counts.resize(p.bins.size(), 0);
  return p;
}

void merge(FieldProfile& into, const FieldProfile& p) {
  into.valid += p.valid;
  into.missing += p.missing;
  into.null += p.null;
  into.wrong_type += p.wrong_type;
  into.not_finite += p.not_finite;
  into.moments.merge(p.moments);
  for (std::size_t b = 0; b < into.bin_counts.size(); ++b) into.bin_counts[b] += p.bin_counts[b];
  for (std::size_t b = 0; b < into.bin_sums.size(); ++b) into.bin_sums[b] += p.bin_sums[b];
}

// Values so large that their squares or sums overflow: those are not known, rather than infinite.
void drop_overflows(SegmentProfile& segment) {
  const auto finite = [](double v) { return std::isfinite(v); };
  for (FieldProfile& p : segment.fields) {
    if (!finite(p.moments.mean) || !finite(p.moments.m2)) p.moments = {};
    if (!std::all_of(p.bin_sums.begin(), p.bin_sums.end(), finite)) p.bin_sums.clear();
  }
}

Binned binned(const FieldProfile& p) {
  return {&p.bins, p.bin_counts, p.bin_sums, static_cast<double>(p.valid), p.moments};
}

}  // namespace

ReferenceBuilder::ReferenceBuilder(const Schema& schema, Duration window) : schema_(schema), window_(window) {
  for (const Field& field : schema.fields) learners_.emplace_back(field.kind);
  for (const auto& unit : distances().units()) {
    ErrorList none;
    auto made = unit.make(read_params(Node(), unit.descriptor.params, unit.descriptor.name, none));
    if (made) distances_.emplace_back(unit.descriptor.name, std::move(*made));
  }
}

void ReferenceBuilder::learn(const Batch& batch, const Dictionaries& dictionaries) {
  for (std::size_t f = 0; f < batch.columns.size(); ++f) {
    const Column& column = batch.columns[f];
    for (std::uint32_t r = 0; r < batch.rows(); ++r) {
      if (column.cells[r] != Cell::kValid) continue;
      if (is_numeric(column.kind)) {
        learners_[f].add(column.numbers[r]);
      } else if (column.kind == FieldKind::kCategory && column.codes[r] != Dictionary::kNone) {
        learners_[f].add(std::string_view(dictionaries.categories[f].text(column.codes[r])));
      }
    }
  }
}

const Reference& ReferenceBuilder::freeze() {
  SegmentProfile stream;
  for (std::size_t f = 0; f < schema_.fields.size(); ++f) {
    FieldProfile p;
    p.name = schema_.fields[f].name;
    p.kind = schema_.fields[f].kind;
    p.bins = learners_[f].learn();
    p.bin_counts.assign(p.bins.size(), 0);
    stream.fields.push_back(std::move(p));
  }
  frozen_.segments = {std::move(stream)};
  return frozen_;
}

void ReferenceBuilder::add_window(const Window& window) {
  if (window.rows == 0 || window.segment.by == "sensor") return;
  Point point{window.segment, window.start, {}, window.rows};
  for (std::size_t f = 0; f < schema_.fields.size(); ++f) {
    point.fields.push_back(profile_of(schema_.fields[f], window.fields[f]));
    // Free text has no bins; a field without a value neither.
    point.fields.back().bins = frozen_.segments[0].fields[f].bins;
    point.fields.back().bin_counts.resize(point.fields.back().bins.size(), 0);
  }
  SegmentProfile& profile = profiles_[window.segment];
  profile.segment = window.segment;
  profile.rows += window.rows;
  if (profile.fields.empty()) {
    profile.fields = point.fields;
  } else {
    for (std::size_t f = 0; f < point.fields.size(); ++f) merge(profile.fields[f], point.fields[f]);
  }
  points_.push_back(std::move(point));
}

void ReferenceBuilder::add_history(const Point& point, const Reference& whole, std::map<std::string, History>& out) const {
  const auto add = [&](const std::string& field, const std::string& statistic, double v) {
    if (!std::isfinite(v)) return;
    History& h = out[point.segment.by + '\0' + point.segment.value + '\0' + field + '\0' + statistic];
    h.segment = point.segment;
    h.field = field;
    h.statistic = statistic;
    h.starts.push_back(point.start);
    h.values.push_back(v);
  };
  add("", "count", static_cast<double>(point.rows));
  for (const FieldProfile& f : point.fields) {
    add(f.name, "null_share", static_cast<double>(f.missing + f.null + f.not_finite) / static_cast<double>(point.rows));
    if (f.valid == 0) continue;
    if (is_numeric(f.kind)) {
      add(f.name, "mean", f.moments.mean);
      add(f.name, "stddev", f.moments.stddev());
      add(f.name, "min", f.moments.min);
      add(f.name, "max", f.moments.max);
    }
    const FieldProfile* reference = whole.field(point.segment, f.name);
    if (reference == nullptr || f.kind == FieldKind::kText) continue;
    for (const auto& [name, distance] : distances_) {
      if (!is_numeric(f.kind) && !distance->for_categories()) continue;
      const Score score = distance->score(binned(*reference), binned(f));
      if (score.no_verdict == nullptr) add(f.name, "distance." + name, score.value);
    }
  }
}

Result<Reference> ReferenceBuilder::finish(std::string name, Provenance provenance) {
  const auto stream = profiles_.find(Segment{});
  if (stream == profiles_.end()) {
    return Error{ErrorCode::kInvalidArgument, "the input has no usable record (" + std::to_string(provenance.rejected) +
                                                  " rejected); a reference needs some"};
  }
  Reference out;
  out.name = std::move(name);
  out.provenance = std::move(provenance);
  out.window = window_;
  out.segments.push_back(stream->second);
  for (const auto& [segment, profile] : profiles_) {
    if (segment.by != "stream") out.segments.push_back(profile);
  }
  for (SegmentProfile& segment : out.segments) drop_overflows(segment);
  std::map<std::string, History> history;
  for (const Point& point : points_) add_history(point, out, history);
  for (auto& [key, h] : history) out.history.push_back(std::move(h));
  out.hash = sha256_hex(out.content());
  return out;
}

}  // namespace driftd::stats
