#include "exporters/process_metrics.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/text.h"

namespace driftd::exporters {
namespace {

// The values of /proc/self/stat from field 3 on. Field 2, the command, may hold blanks and
// brackets; the last ')' ends it.
std::vector<std::string> stat_fields(const std::string& proc) {
  std::ifstream file(proc + "/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t command_end = line.rfind(')');
  if (command_end == std::string::npos) return {};
  std::istringstream rest(line.substr(command_end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

// The number behind `key` at the start of a line, nullopt when there is none ("unlimited").
std::optional<double> number_after(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) != 0) continue;
    std::istringstream rest(line.substr(key.size()));
    std::string word;
    rest >> word;
    return parse_number(word);
  }
  return std::nullopt;
}

std::optional<double> open_files(const std::string& proc) {
  std::error_code error;
  std::filesystem::directory_iterator entries(proc + "/self/fd", error);
  if (error) return std::nullopt;
  double n = 0;
  for (const std::filesystem::directory_iterator end; entries != end; entries.increment(error)) {
    if (error) return std::nullopt;
    ++n;
  }
  return n - 1;  // the listing itself holds one
}

}  // namespace

std::vector<ProcessMetric> process_metrics(const std::string& proc) {
  const std::vector<std::string> stat = stat_fields(proc);
  const auto field = [&](std::size_t number) -> std::optional<double> {
    return stat.size() > number - 3 ? parse_number(stat[number - 3]) : std::nullopt;
  };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const auto user = field(14), system = field(15), threads = field(20), start = field(22);
  const auto size = field(23), resident = field(24);
  const auto boot = number_after(proc + "/stat", "btime ");

  std::vector<ProcessMetric> out;
  const auto add = [&](const char* name, MetricType type, const char* help, std::optional<double> value) {
    out.push_back({name, type, help, value});
  };
  const auto scaled = [](std::optional<double> v, double factor) { return v ? std::optional(*v * factor) : std::nullopt; };
  const auto sum = [](std::optional<double> a, std::optional<double> b) { return a && b ? std::optional(*a + *b) : std::nullopt; };
  add("process_cpu_seconds_total", MetricType::kCounter, "User and system CPU time spent, seconds.", scaled(sum(user, system), 1 / ticks));
  add("process_resident_memory_bytes", MetricType::kGauge, "Resident memory, bytes.", scaled(resident, page));
  add("process_virtual_memory_bytes", MetricType::kGauge, "Virtual memory, bytes.", size);
  add("process_open_fds", MetricType::kGauge, "Open file descriptors.", open_files(proc));
  add("process_max_fds", MetricType::kGauge, "Limit of open file descriptors.", number_after(proc + "/self/limits", "Max open files"));
  add("process_threads", MetricType::kGauge, "Threads.", threads);
  add("process_start_time_seconds", MetricType::kGauge, "When the process started, Unix seconds.", sum(scaled(start, 1 / ticks), boot));
  return out;
}

}  // namespace driftd::exporters
