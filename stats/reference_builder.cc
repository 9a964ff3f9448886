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

Binned binned(const FieldProfile& p) { return {&p.bins, p.bin_counts, p.bin_sums, static_cast<double>(p.valid), p.moments}; }

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
  const auto at = profiles_.try_emplace(window.segment).first;
  SegmentProfile& profile = at->second;
  profile.segment = window.segment;
  profile.rows += window.rows;
  const bool first = profile.fields.empty();
  Point point{&at->first, window.start, {}, window.rows};
  point.fields.reserve(schema_.fields.size());
  for (std::size_t f = 0; f < schema_.fields.size(); ++f) {
    FieldProfile p = profile_of(schema_.fields[f], window.fields[f]);
    // Free text has no bins; a field without a value neither.
    const std::uint32_t bins = frozen_.segments[0].fields[f].bins.size();
    p.bin_counts.resize(bins, 0);
    point.fields.push_back(compact(p));
    if (first) {
      p.bins = frozen_.segments[0].fields[f].bins;
      profile.fields.push_back(std::move(p));
    } else {
      merge(profile.fields[f], p);
    }
  }
  points_.push_back(std::move(point));
}

ReferenceBuilder::PointField ReferenceBuilder::compact(const FieldProfile& p) {
  constexpr double kMost = 4294967295.0;
  PointField out{p.valid, p.missing + p.null + p.not_finite, p.moments, {}};
  std::size_t filled = 0;
  for (const double n : p.bin_counts) filled += n > 0 ? 1 : 0;
  out.filled.reserve(filled);
  for (std::uint32_t b = 0; b < p.bin_counts.size(); ++b) {
    double sum = b < p.bin_sums.size() ? p.bin_sums[b] : 0;
    for (double left = p.bin_counts[b]; left > 0; left -= kMost, sum = 0) {
      out.filled.push_back({b, static_cast<std::uint32_t>(std::min(left, kMost)), sum});
    }
  }
  return out;
}

void ReferenceBuilder::add_history(const Point& point, const Reference& whole, std::map<std::string, History>& out) const {
  const auto add = [&](const std::string& field, const std::string& statistic, double v) {
    if (!std::isfinite(v)) return;
    History& h = out[point.segment->by + '\0' + point.segment->value + '\0' + field + '\0' + statistic];
    h.segment = *point.segment;
    h.field = field;
    h.statistic = statistic;
    h.starts.push_back(point.start);
    h.values.push_back(v);
  };
  add("", "count", static_cast<double>(point.rows));
  std::vector<double> counts, sums;
  for (std::size_t i = 0; i < point.fields.size(); ++i) {
    const PointField& f = point.fields[i];
    const Field& field = schema_.fields[i];
    const bool numeric = is_numeric(field.kind);
    add(field.name, "null_share", static_cast<double>(f.empty) / static_cast<double>(point.rows));
    if (f.valid == 0) continue;
    if (numeric) {
      add(field.name, "mean", f.moments.mean);
      add(field.name, "stddev", f.moments.stddev());
      add(field.name, "min", f.moments.min);
      add(field.name, "max", f.moments.max);
      add(field.name, "sum", f.moments.sum());
    }
    const FieldProfile* reference = whole.field(*point.segment, field.name);
    if (reference == nullptr || field.kind == FieldKind::kText) continue;
    counts.assign(reference->bins.size(), 0);
    sums.assign(numeric ? counts.size() : 0, 0);
    for (const FilledBin& bin : f.filled) {
      counts[bin.bin] += bin.count;
      if (numeric) sums[bin.bin] += bin.sum;
    }
    const Binned window{&reference->bins, counts, sums, static_cast<double>(f.valid), f.moments};
    for (const auto& [name, distance] : distances_) {
      if (!numeric && !distance->for_categories()) continue;
      const Score score = distance->score(binned(*reference), window);
      if (score.no_verdict == nullptr) add(field.name, "distance." + name, score.value);
    }
  }
}

Result<Reference> ReferenceBuilder::finish(std::string name, Provenance provenance) {
  const auto stream = profiles_.find(Segment{});
  if (stream == profiles_.end()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the input has no usable record (" + std::to_string(provenance.rejected) + " rejected); a reference needs some"};
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
