#include "stats/reference_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/hash.h"
#include "core/text.h"

namespace driftd::stats {
namespace {

void merge(FieldProfile& into, const FieldSummary& window) {
  into.valid += window.valid;
  into.missing += window.missing;
  into.null += window.null;
  into.wrong_type += window.wrong_type;
  into.not_finite += window.not_finite;
  into.moments.merge(window.moments);
  for (std::size_t b = 0; b < std::min(into.bin_counts.size(), window.bin_counts.size()); ++b) into.bin_counts[b] += window.bin_counts[b];
  if (into.bin_sums.empty()) into.bin_sums.assign(window.bin_sums.size(), 0);
  for (std::size_t b = 0; b < window.bin_sums.size(); ++b) into.bin_sums[b] += window.bin_sums[b];
}

std::array<double, ReferenceBuilder::kQuantiles.size()> quantiles_of(const FieldSummary& field) {
  std::array<double, ReferenceBuilder::kQuantiles.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = field.quantiles == nullptr ? std::nullopt : field.quantiles->quantile(ReferenceBuilder::kQuantiles[i]);
    out[i] = value.value_or(std::numeric_limits<double>::quiet_NaN());
  }
  return out;
}

// Values so large that their squares or sums overflow: those are not known, rather than infinite.
void drop_overflows(SegmentProfile& segment) {
  const auto finite = [](double v) { return std::isfinite(v); };
  for (FieldProfile& p : segment.fields) {
    if (!finite(p.moments.mean) || !finite(p.moments.m2)) p.moments = {};
    if (!std::all_of(p.bin_sums.begin(), p.bin_sums.end(), finite)) p.bin_sums.clear();
  }
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
  Whole& whole = segments_[window.segment];
  if (whole.profile.fields.empty()) whole.profile.fields = frozen_.segments[0].fields;
  whole.profile.segment = window.segment;
  whole.profile.rows += window.rows;
  if (window.rows >= kUncounted) uncounted_ = window.start;
  Point point{window.start, window.rows, {}};
  point.fields.reserve(schema_.fields.size());
  for (std::size_t f = 0; f < schema_.fields.size(); ++f) {
    const FieldSummary& field = window.fields[f];
    merge(whole.profile.fields[f], field);
    std::vector<Mass> masses;
    masses.reserve(
        static_cast<std::size_t>(std::count_if(field.bin_counts.begin(), field.bin_counts.end(), [](double c) { return c > 0; })));
    for (std::size_t b = 0; b < field.bin_counts.size(); ++b) {
      if (field.bin_counts[b] == 0) continue;
      masses.push_back({b, static_cast<std::uint64_t>(field.bin_counts[b]), field.bin_sums.empty() ? 0 : field.bin_sums[b]});
    }
    point.fields.push_back(
        {field.valid, field.missing + field.null + field.not_finite, field.moments, quantiles_of(field), std::move(masses)});
  }
  whole.points.push_back(std::move(point));
}

void ReferenceBuilder::add_field_history(const Segment& segment, const SegmentProfile& profile, std::size_t field,
                                         const std::deque<Point>& points, Scratch& scratch, std::map<std::string, History>& out) const {
  const FieldProfile& whole = profile.fields[field];
  const auto add = [&](const std::string& statistic, Time start, double v) {
    if (!std::isfinite(v)) return;
    History& h = out[segment.by + '\0' + segment.value + '\0' + whole.name + '\0' + statistic];
    if (h.starts.empty()) {
      h.segment = segment;
      h.field = whole.name;
      h.statistic = statistic;
      h.starts.reserve(points.size());
      h.values.reserve(points.size());
    }
    h.starts.push_back(start);
    h.values.push_back(v);
  };
  const bool numeric = is_numeric(whole.kind);
  std::array<std::string, kQuantiles.size()> quantile_names;
  for (std::size_t i = 0; i < kQuantiles.size(); ++i) quantile_names[i] = "quantile." + format_number(kQuantiles[i]);
  const Binned reference{&whole.bins, whole.bin_counts, whole.bin_sums, static_cast<double>(whole.valid), whole.moments};
  for (const Point& point : points) {
    const FieldPoint& f = point.fields[field];
    add("null_share", point.start, static_cast<double>(f.absent) / static_cast<double>(point.rows));
    if (f.valid == 0) continue;
    if (numeric) {
      add("mean", point.start, f.moments.mean);
      add("stddev", point.start, f.moments.stddev());
      add("min", point.start, f.moments.min);
      add("max", point.start, f.moments.max);
      add("sum", point.start, f.moments.sum());
      for (std::size_t i = 0; i < kQuantiles.size(); ++i) add(quantile_names[i], point.start, f.quantiles[i]);
    }
    if (whole.kind == FieldKind::kText) continue;
    scratch.counts.assign(whole.bins.size(), 0);
    scratch.sums.assign(numeric ? whole.bins.size() : 0, 0);
    for (const Mass& mass : f.masses) {
      scratch.counts[mass.bin] = static_cast<double>(mass.count);
      if (numeric) scratch.sums[mass.bin] = mass.sum;
    }
    const Binned window{&whole.bins, scratch.counts, scratch.sums, static_cast<double>(f.valid), f.moments};
    for (const auto& [name, distance] : distances_) {
      if (!numeric && !distance->for_categories()) continue;
      const Score score = distance->score(reference, window, false);
      if (score.no_verdict == nullptr) add("distance." + name, point.start, score.value);
    }
  }
}

Result<Reference> ReferenceBuilder::finish(std::string name, Provenance provenance) {
  const auto stream = segments_.find(Segment{});
  if (stream == segments_.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the input has no usable record (" + std::to_string(provenance.rejected) + " rejected); a reference needs some"};
  }
  if (uncounted_ != kNoTime) {
    return Error{ErrorCode::kInvalidArgument, "the window from " + format_time(uncounted_) +
                                                  " has 4,294,967,295 records or more, which counters do not hold: choose a smaller "
                                                  "windows.size"};
  }
  Reference out;
  out.name = std::move(name);
  out.provenance = std::move(provenance);
  out.window = window_;
  std::map<std::string, History> history;
  Scratch scratch;
  const auto take = [&](const Segment& segment, Whole& whole) {
    drop_overflows(whole.profile);
    History& rows = history[segment.by + '\0' + segment.value + '\0' + '\0' + "count"];
    rows = {segment, "", "count", {}, {}};
    for (const Point& point : whole.points) {
      rows.starts.push_back(point.start);
      rows.values.push_back(static_cast<double>(point.rows));
    }
    for (std::size_t f = 0; f < schema_.fields.size(); ++f) {
      add_field_history(segment, whole.profile, f, whole.points, scratch, history);
      // Points go as their history comes, so that not both are in memory.
      for (Point& point : whole.points) std::vector<Mass>().swap(point.fields[f].masses);
    }
    whole.points.clear();
    out.segments.push_back(std::move(whole.profile));
  };
  take(stream->first, stream->second);
  for (auto& [segment, whole] : segments_) {
    if (segment.by != "stream") take(segment, whole);
  }
  segments_.clear();
  out.history.reserve(history.size());
  for (auto& [key, h] : history) out.history.push_back(std::move(h));
  out.hash = sha256_hex(out.content());
  return out;
}

}  // namespace driftd::stats
