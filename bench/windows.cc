// Windows a second, from decoded columns to findings: windows of 300 rows x 4 fields, each judged
// by ks, psi, jensen_shannon and wasserstein against a reference of 100,000 rows; and rows a second
// when all rows are one window. One core. windows_numpy.py runs this and numpy in turn on the same
// rows.
//
//   bench_windows [rounds]
//   bench_windows --dump FOLDER     writes the rows, the reference's bins and every score
//   bench_windows --only windows|bulk   prints the median seconds of a few trials
#include <cstring>
#include <fstream>
#include <map>
#include <random>

#include "bench/bench.h"
#include "stats/reference_builder.h"

namespace driftd::bench {
namespace {

constexpr std::uint32_t kReferenceRows = 100000;
constexpr std::uint32_t kWindows = 2000;
constexpr std::uint32_t kWindowRows = 300;  // 5 minutes at 1 a second
constexpr std::uint32_t kRows = kWindows * kWindowRows;
constexpr std::uint32_t kBatch = 1000;
constexpr std::size_t kFields = 4;
constexpr int kOnlyTrials = 9;
constexpr const char* kMetrics[] = {"ks", "psi", "jensen_shannon", "wasserstein"};

// The size of windows is filled in. Limits that about one window in twenty breaks.
constexpr const char* kStream = R"(streams:
  pumps:
    from: {file: {paths: [none.jsonl], format: json_lines}}
    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}
    fields: {temperature: number, pressure: number, vibration: number, current: number}
    windows: {size: %s, lateness: 0s, by: [stream]}
    checks:
      - {check: distance, name: ks, metric: ks, max: 0.2, field: [temperature, pressure, vibration, current]}
      - {check: distance, name: psi, metric: psi, max: 0.6, field: [temperature, pressure, vibration, current]}
      - {check: distance, name: jensen_shannon, metric: jensen_shannon, max: 0.3, field: [temperature, pressure, vibration, current]}
      - {check: distance, name: wasserstein, metric: wasserstein, normalize: sd, max: 0.3, field: [temperature, pressure, vibration, current]}
)";

std::string config_of(const char* size) {
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), kStream, size)));
  return text;
}

// Rows as columns: [field][row].
using Columns = std::vector<std::vector<double>>;

Columns make_rows(std::uint32_t rows, unsigned seed, bool with_drift) {
  Columns columns(kFields, std::vector<double>(rows));
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  for (std::uint32_t r = 0; r < rows; ++r) {
    const bool drifted = with_drift && r / kWindowRows % 20 == 7;
    const double shift = drifted ? 0.8 : 0;
    columns[0][r] = 60 + 5 * (normal(random) + shift);
    columns[1][r] = std::exp(1 + 0.4 * (normal(random) + shift));
    columns[2][r] = std::fabs(normal(random) + shift);
    columns[3][r] = (r % 7 < 4 ? 10 : 14) + normal(random) + 2 * shift;
  }
  return columns;
}

constexpr Time kStart = 2922 * 7 * 24 * 3600 * kSecond;  // the start of a window of any size used here

std::vector<Batch> make_batches(const Columns& rows, const app::StreamConfig& config) {
  std::vector<Batch> batches;
  Dictionaries dictionaries(kFields);
  const std::uint32_t sensor = dictionaries.sensors.intern("pump");
  for (std::uint32_t begin = 0; begin < rows[0].size(); begin += kBatch) {
    Batch& batch = batches.emplace_back();
    batch.reset(config.schema, 0);
    BatchBuilder builder(batch, config.schema, dictionaries);
    for (std::uint32_t r = begin; r < std::min<std::size_t>(begin + kBatch, rows[0].size()); ++r) {
      builder.begin_row();
      for (std::size_t f = 0; f < kFields; ++f) builder.set_number(f, rows[f][r]);
      builder.commit_row(sensor, kStart + r * kSecond, kNoTime, r);
    }
  }
  return batches;
}

void drain(Run& run, const std::vector<Batch>& batches) {
  auto partition = run.engine->partition(0);
  require(partition.ok(), "no partition");
  (*partition)->dictionaries().sensors.intern("pump");
  for (const Batch& batch : batches) run.engine->process_rows(**partition, batch);
  run.engine->finish();
}

std::shared_ptr<const stats::Reference> make_reference(const app::StreamConfig& config, const Columns& rows) {
  const std::vector<Batch> batches = make_batches(rows, config);
  stats::ReferenceBuilder builder(config.schema, config.windows.size);
  for (const Batch& batch : batches) builder.learn(batch, Dictionaries(kFields));
  auto plan = app::make_counting_plan(config, builder.freeze());
  require(plan.ok(), "no counting plan");
  Run run(*plan);
  run.engine->set_window_tap([&](const stats::Window& window) { builder.add_window(window); });
  drain(run, batches);
  auto reference = builder.finish("bench", {});
  require(reference.ok(), "no reference");
  require(reference->segments[0].rows == kReferenceRows, "rows of the reference");
  return std::make_shared<stats::Reference>(std::move(*reference));
}

// The textbook: the scores of one field in one window, in the order of kMetrics, from the rows.
std::vector<double> textbook(const stats::FieldProfile& reference, const double* values, std::uint32_t n) {
  const std::size_t bins = reference.bins.size();
  const std::vector<double>& edges = reference.bins.edges;
  std::vector<double> counts(bins), sums(bins);
  for (std::uint32_t i = 0; i < n; ++i) {
    const auto b = static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), values[i]) - edges.begin());
    counts[b] += 1;
    sums[b] += values[i];
  }
  const double m = static_cast<double>(reference.valid);
  // Bins that are empty on both sides are left out.
  double used = 0;
  for (std::size_t b = 0; b < bins; ++b) used += counts[b] + reference.bin_counts[b] > 0 ? 1 : 0;
  double ks = 0, psi = 0, js = 0, f = 0, g = 0;
  std::map<double, double> mass;  // reference less window, by place
  for (std::size_t b = 0; b < bins; ++b) {
    const double r = reference.bin_counts[b], c = counts[b];
    f += r / m;
    g += c / n;
    ks = std::max(ks, std::fabs(f - g));
    if (r + c == 0) continue;
    const double half = 0.5 * used;
    const double p = (r + 0.5) / (m + half), q = (c + 0.5) / (n + half);
    psi += (q - p) * std::log(q / p);
    const double u = r / m, v = c / n, mid = (u + v) / 2;
    js += ((u > 0 ? u * std::log2(u / mid) : 0) + (v > 0 ? v * std::log2(v / mid) : 0)) / 2;
    if (r > 0) mass[reference.bin_sums[b] / r] += u;
    if (c > 0) mass[sums[b] / c] -= v;
  }
  double wasserstein = 0, level = 0, last = 0;
  for (const auto& [place, difference] : mass) {
    wasserstein += std::fabs(level) * (place - last);
    level += difference;
    last = place;
  }
  return {ks, psi, std::sqrt(js), wasserstein / reference.moments.stddev(0)};
}

// Every score that the engine gave, in the order window, field, metric.
std::vector<double> scores_of(const Run& run, const app::StreamPlan& plan, std::uint32_t windows, Duration size) {
  std::vector<double> scores(windows * kFields * 4, -1);
  for (const Finding& f : run.findings) {
    const std::size_t window = static_cast<std::size_t>((f.window_start - kStart) / size);
    const std::size_t field = *plan.config.schema.index_of(f.field);
    const auto metric = std::find(std::begin(kMetrics), std::end(kMetrics), f.check) - kMetrics;
    require(window < windows && f.value.has_value(), "a score of " + f.check);
    scores[(window * kFields + field) * 4 + static_cast<std::size_t>(metric)] = *f.value;
  }
  for (const double s : scores) require(s >= 0, "a window was not judged by every metric");
  return scores;
}

struct Bench {
  Columns reference_rows = make_rows(kReferenceRows, 1, false);
  Columns rows = make_rows(kRows, 2, true);
  app::StreamConfig windows_config = read_stream(config_of("5m"));
  app::StreamConfig bulk_config = read_stream(config_of("7d"));
  std::vector<Batch> batches = make_batches(rows, windows_config);
  std::shared_ptr<const stats::Reference> reference = make_reference(windows_config, reference_rows);
  std::vector<double> scores;  // of the windows
  std::vector<double> bulk_scores;
  std::size_t failures = 0;

  // Compares every score of every window with the textbook's.
  void check() {
    const auto compare = [&](const std::vector<double>& found, std::uint32_t windows) {
      const std::uint32_t size = kRows / windows;
      for (std::uint32_t w = 0; w < windows; ++w) {
        for (std::size_t f = 0; f < kFields; ++f) {
          const auto expected = textbook(reference->segments[0].fields[f], rows[f].data() + std::size_t{w} * size, size);
          for (std::size_t k = 0; k < 4; ++k) {
            require_near(found[(w * kFields + f) * 4 + k], expected[k], kMetrics[k]);
          }
        }
      }
    };
    const auto all = plan_of(windows_config, reference, true);
    Run run(all);
    drain(run, batches);
    scores = scores_of(run, *all, kWindows, windows_config.windows.size);
    compare(scores, kWindows);
    for (const Finding& f : run.findings) failures += f.verdict == Verdict::kFail ? 1 : 0;
    const auto all_bulk = plan_of(bulk_config, reference, true);
    Run bulk(all_bulk);
    drain(bulk, batches);
    bulk_scores = scores_of(bulk, *all_bulk, 1, bulk_config.windows.size);
    compare(bulk_scores, 1);
  }

  std::function<double()> trial(const app::StreamConfig& config, bool all_findings, std::size_t findings) const {
    return [this, plan = plan_of(config, reference, all_findings), findings] {
      Run run(plan);
      const double s = seconds_of([&] { drain(run, batches); });
      require(run.findings.size() == findings, "findings: " + std::to_string(run.findings.size()));
      return s;
    };
  }
};

void dump(const Bench& bench, const std::string& folder) {
  const auto write = [&](const std::string& name, const std::vector<double>& values) {
    std::ofstream out(folder + "/" + name + ".f64", std::ios::binary);
    out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(double)));
    require(out.good(), "cannot write " + folder);
  };
  for (std::size_t f = 0; f < kFields; ++f) {
    const std::string number = std::to_string(f);
    write("reference" + number, bench.reference_rows[f]);
    write("rows" + number, bench.rows[f]);
    write("edges" + number, bench.reference->segments[0].fields[f].bins.edges);
  }
  write("scores", bench.scores);
  write("bulk_scores", bench.bulk_scores);
}

int main(int argc, char** argv) {
  Bench bench;
  const std::string option = argc > 2 ? argv[1] : "";
  if (option != "--only") bench.check();
  if (option == "--dump") {
    dump(bench, argv[2]);
    return 0;
  }
  if (option == "--only") {
    const bool bulk = std::strcmp(argv[2], "bulk") == 0;
    const auto& config = bulk ? bench.bulk_config : bench.windows_config;
    const auto trial = [&] {
      Run run(plan_of(config, bench.reference));
      return seconds_of([&] { drain(run, bench.batches); });
    };
    std::vector<double> seconds;
    for (int i = 0; i < kOnlyTrials; ++i) seconds.push_back(trial());
    std::sort(seconds.begin(), seconds.end());
    std::printf("%.6f\n", seconds[kOnlyTrials / 2]);
    return 0;
  }
  std::size_t bulk_failures = 0;
  {
    Run bulk(plan_of(bench.bulk_config, bench.reference));
    drain(bulk, bench.batches);
    bulk_failures = bulk.findings.size();
  }
  std::vector<Contender> all = {{"windows of 300", bench.trial(bench.windows_config, false, bench.failures)},
                                {"windows of 300, every score a finding", bench.trial(bench.windows_config, true, kWindows * kFields * 4)},
                                {"one window of all", bench.trial(bench.bulk_config, false, bulk_failures)}};
  run_in_turn(all, argc > 1 ? std::max(1, std::atoi(argv[1])) : 15);
  std::printf("%u rows, %u windows, %zu of %zu scores above their limit\n", kRows, kWindows, bench.failures, bench.scores.size());
  std::printf("%-40s %12s %14s\n", "", "windows/s", "M rows/s");
  for (const Contender& c : all) {
    const double windows = &c == &all.back() ? 1 : kWindows;
    std::printf("%-40s %12.0f %14.2f\n", c.name.c_str(), windows / c.best(), kRows / c.best() / 1e6);
  }
  return 0;
}

}  // namespace
}  // namespace driftd::bench

int main(int argc, char** argv) { return driftd::bench::main(argc, argv); }
