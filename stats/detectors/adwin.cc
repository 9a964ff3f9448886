// adwin: adaptive windowing. Keeps the longest window of values whose two halves, however cut, have
// the same mean; drops its old end when they have not.
//
// The window is an exponential histogram: row i holds at most max_buckets + 1 buckets of 2^i values,
// each with its sum and its sum of squared deviations.
#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/detector.h"

namespace driftd::stats {
namespace {

struct Bucket {
  double total = 0;
  double variance = 0;  // sum of squared deviations
};

class Adwin final : public Detector {
 public:
  explicit Adwin(const Params& params)
      : delta_(params.number("delta")),
        clock_(static_cast<std::uint64_t>(params.integer("clock"))),
        max_buckets_(static_cast<std::size_t>(params.integer("max_buckets"))),
        min_length_(params.number("min_window_length")),
        grace_(params.number("grace_period")),
        river_(params.text("compat") == "river"),
        rows_(1) {}

  DetectorState update(double x, Duration) override {
    if (drifted_ && river_) reset();
    drifted_ = false;
    insert(x);
    ++ticks_;
    if (ticks_ % clock_ == 0 && width_ > grace_) {
      double statistic = 0, threshold = 0;  // of the first cut: later ones look at what is left
      while (cut()) {
        if (!drifted_) {
          statistic = statistic_;
          threshold = threshold_;
        }
        drifted_ = true;
      }
      if (drifted_) {
        statistic_ = statistic;
        threshold_ = threshold;
      }
    }
    return drifted_ ? DetectorState::kDrift : DetectorState::kStable;
  }

  void reset() override {
    rows_.assign(1, {});
    width_ = total_ = variance_ = statistic_ = threshold_ = 0;
    ticks_ = 0;
    drifted_ = false;
  }
  double statistic() const override { return statistic_; }
  double threshold() const override { return threshold_; }
  bool binary() const override { return false; }

  void save(ByteWriter& out) const override {
    out.u32(static_cast<std::uint32_t>(rows_.size()));
    for (const auto& row : rows_) {
      out.u32(static_cast<std::uint32_t>(row.size()));
      for (const Bucket& b : row) {
        out.f64(b.total);
        out.f64(b.variance);
      }
    }
    for (const double v : {width_, total_, variance_, statistic_, threshold_}) out.f64(v);
    out.u64(ticks_);
    out.boolean(drifted_);
  }
  Status load(ByteReader& in) override {
    rows_.assign(in.count(kMaxRows, 4), {});
    double width = 0, size = 1;
    for (auto& row : rows_) {
      row.resize(in.count(static_cast<std::uint32_t>(max_buckets_), 16));
      for (Bucket& b : row) {
        b.total = in.f64();
        b.variance = in.f64();
        if (!std::isfinite(b.total) || !std::isfinite(b.variance)) in.fail();
      }
      width += size * static_cast<double>(row.size());
      size *= 2;
    }
    for (double* v : {&width_, &total_, &variance_, &statistic_, &threshold_}) *v = in.f64();
    ticks_ = in.u64();
    drifted_ = in.boolean();
    for (const double v : {total_, variance_, statistic_, threshold_}) {
      if (!std::isfinite(v)) in.fail();
    }
    if (rows_.empty() || width != width_) in.fail();
    return in.done("state of detector adwin");
  }

 private:
  static constexpr std::uint32_t kMaxRows = 64;

  void insert(double x) {
    rows_[0].push_back({x, 0});
    ++width_;
    if (width_ > 1) {
      const double d = x - total_ / (width_ - 1);
      variance_ += (width_ - 1) * d * d / width_;
    }
    total_ += x;
    double size = 1;
    for (std::size_t i = 0; i < rows_.size() && rows_[i].size() > max_buckets_; ++i, size *= 2) {
      if (i + 1 == rows_.size()) rows_.emplace_back();
      const Bucket a = rows_[i][0], b = rows_[i][1];
      const double d = a.total / size - b.total / size;
      rows_[i + 1].push_back({a.total + b.total, a.variance + b.variance + size * size * d * d / (2 * size)});
      rows_[i].erase(rows_[i].begin(), rows_[i].begin() + 2);
    }
  }

  // Looks at every cut between buckets, oldest first; drops the oldest bucket and returns true when
  // the two sides of one differ.
  bool cut() {
    double n0 = 0, n1 = width_, u0 = 0, u1 = total_;
    double size = std::ldexp(1.0, static_cast<int>(rows_.size()) - 1);
    for (std::size_t i = rows_.size(); i-- > 0; size /= 2) {
      for (std::size_t k = 0; k < rows_[i].size(); ++k) {
        n0 += size;
        n1 -= size;
        u0 += rows_[i][k].total;
        u1 -= rows_[i][k].total;
        if (i == 0 && k + 1 == rows_[i].size()) return false;
        if (n0 < min_length_ || n1 < min_length_) continue;
        // Rounding can leave the sum of squares just below zero. River's bound is NaN then, and no cut.
        if (river_ && variance_ < 0) continue;
        statistic_ = std::fabs(u0 / n0 - u1 / n1);
        threshold_ = bound(n0, n1);
        if (statistic_ > threshold_) {
          drop_oldest();
          return true;
        }
      }
    }
    return false;
  }

  double bound(double n0, double n1) const {
    const double log_term = std::log(2 * std::log(width_) / delta_);
    const double inverse = 1 / (n0 - min_length_ + 1) + 1 / (n1 - min_length_ + 1);
    return std::sqrt(2 * inverse * (std::max(0.0, variance_) / width_) * log_term) + 2.0 / 3 * log_term * inverse;
  }

  void drop_oldest() {
    const double size = std::ldexp(1.0, static_cast<int>(rows_.size()) - 1);
    const Bucket oldest = rows_.back().front();
    width_ -= size;
    total_ -= oldest.total;
    const double d = width_ > 0 ? oldest.total / size - total_ / width_ : 0;
    variance_ -= oldest.variance + size * width_ * d * d / (size + width_);
    rows_.back().erase(rows_.back().begin());
    while (rows_.size() > 1 && rows_.back().empty()) rows_.pop_back();
  }

  double delta_;
  std::uint64_t clock_;
  std::size_t max_buckets_;
  double min_length_, grace_;
  bool river_;

  std::vector<std::vector<Bucket>> rows_;  // row i: buckets of 2^i values, oldest first
  double width_ = 0, total_ = 0, variance_ = 0;
  double statistic_ = 0, threshold_ = 0;
  std::uint64_t ticks_ = 0;
  bool drifted_ = false;
};

}  // namespace

void register_adwin(DetectorRegistry& registry) {
  registry.add({.name = "adwin",
                .summary = "Adaptive windowing: the mean of recent values differs from that of older ones, for some cut of the window",
                .applies_to = "number, integer, flag",
                .params = {{.name = "delta",
                            .type = ParamType::kNumber,
                            .sentence = "Confidence: smaller is slower and surer",
                            .default_text = "0.002",
                            .min = 1e-12,
                            .max = 1},
                           {.name = "clock",
                            .type = ParamType::kInteger,
                            .sentence = "Looks for a change every so many values",
                            .default_text = "32",
                            .min = 1,
                            .max = 1e6},
                           {.name = "max_buckets",
                            .type = ParamType::kInteger,
                            .sentence = "Buckets of one size before two are merged",
                            .default_text = "5",
                            .min = 1,
                            .max = 100},
                           {.name = "min_window_length",
                            .type = ParamType::kInteger,
                            .sentence = "Least length of either side of a cut",
                            .default_text = "5",
                            .min = 1,
                            .max = 1e6},
                           {.name = "grace_period",
                            .type = ParamType::kInteger,
                            .sentence = "Length of the window before it judges",
                            .default_text = "10",
                            .min = 1,
                            .max = 1e6},
                           {.name = "compat",
                            .type = ParamType::kChoice,
                            .sentence = "published: goes on with the newer part of the window after a drift; river: the same indices as "
                                        "river 0.26.1, which starts from nothing",
                            .default_text = "published",
                            .choices = {"published", "river"}}},
                .source = "Bifet and Gavalda, Learning from Time-Changing Data with Adaptive Windowing, SDM 2007 (ADWIN2)",
                .example = "{check: adwin, field: temperature}",
                .reasons = {},
                .notes = "Meant for values in about [0, 1]: the bound's second term is in the field's unit. Close to its rate on "
                         "independent values and conservative; autocorrelated ones give many false alarms (guarantee: none). Memory "
                         "O(max_buckets log(n)), 16 bytes a bucket; amortised O(1), a check O(log n)."},
               [](const Params& params) -> Result<std::unique_ptr<Detector>> { return std::unique_ptr<Detector>(new Adwin(params)); });
}

}  // namespace driftd::stats
