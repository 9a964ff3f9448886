#include "exporters/prometheus.h"

#include <dirent.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace driftd::exporters {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

void add_value(MetricFamily& family, ClientMetric metric, double value) {
  if (!std::isfinite(value)) return;
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

MetricFamily family_of(const Telemetry::Family& from) {
  const MetricInfo& about = info(from.metric);
  MetricFamily family;
  family.name = about.name;
  family.help = about.help;
  family.type = about.type == MetricType::kCounter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  for (const Telemetry::Sample& sample : from.samples) {
    ClientMetric metric;
    for (std::size_t i = 0; i < sample.label_values.size(); ++i) {
      metric.label.push_back({about.labels[i], sample.label_values[i]});
    }
    if (sample.overflow) metric.label.push_back({"overflow", "true"});
    add_value(family, std::move(metric), sample.value);
  }
  return family;
}

void add_process(std::vector<MetricFamily>& families, const char* name, const char* help, bool counter, double value) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  add_value(family, {}, value);
  families.push_back(std::move(family));
}

double open_files() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  double n = -3;  // ".", ".." and the one that reads it
  while (readdir(folder) != nullptr) ++n;
  closedir(folder);
  return n;
}

// Field `index` (from 1, as in proc(5)) of /proc/self/stat, after the command's name.
double process_stat(int index) {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string word;
  for (int i = 3; i <= index && rest >> word; ++i) {
  }
  return std::strtod(word.c_str(), nullptr);
}

double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    if (word != "btime") continue;
    double seconds = 0;
    file >> seconds;
    return seconds;
  }
  return 0;
}

void add_process_metrics(std::vector<MetricFamily>& families) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  add_process(families, "process_cpu_seconds_total", "User and system CPU time spent, in seconds.", true, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  add_process(families, "process_resident_memory_bytes", "Resident memory.", false, process_stat(24) * page);
  add_process(families, "process_virtual_memory_bytes", "Virtual memory.", false, process_stat(23));
  add_process(families, "process_open_fds", "Open file descriptors.", false, open_files());
  add_process(families, "process_max_fds", "File descriptors allowed.", false, static_cast<double>(files.rlim_cur));
  add_process(families, "process_threads", "Threads.", false, process_stat(20));
  static const double started = boot_time() + process_stat(22) / static_cast<double>(sysconf(_SC_CLK_TCK));
  add_process(families, "process_start_time_seconds", "When the process started, Unix seconds.", false, started);
}

}  // namespace

std::string prometheus_text(const Telemetry& telemetry) {
  std::vector<MetricFamily> families;
  for (const Telemetry::Family& family : telemetry.snapshot()) families.push_back(family_of(family));
  add_process_metrics(families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace driftd::exporters
