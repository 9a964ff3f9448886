// The findings log, read back at the start: a byte for how many, the older file, 0x1e, the newer one. A line is a
// finding that is written and read the same, or none, which costs no other.
#include <algorithm>
#include <fstream>

#include "exporters/findings_tail.h"
#include "tests/fuzz/fuzz.h"
#include "tests/ingest/temp_folder.h"

namespace {

using namespace driftd;

// JSON's -0 is read as the integer 0, which is the same number.
std::string line_of(Finding finding) {
  for (auto* number : {&finding.value, &finding.threshold, &finding.effect, &finding.log_evidence, &finding.log_threshold}) {
    if (*number == 0.0) *number = 0.0;
  }
  for (auto& entry : finding.detail) {
    if (entry.number == 0.0) entry.number = 0.0;
  }
  std::string line;
  append_json(line, finding);
  return line;
}

// The findings among the lines, as they are written.
void note(std::string_view lines, std::vector<std::string>& out) {
  for (const std::string_view line : fuzz::split(lines, '\n', lines.size() + 1)) {
    const auto finding = exporters::parse_finding(line);
    if (!finding) continue;
    const std::string written = line_of(*finding);
    const auto again = exporters::parse_finding(written);
    FUZZ_CHECK(again.has_value(), "what is written is no finding: " + written);
    FUZZ_CHECK(line_of(*again) == written, written + " is read as " + line_of(*again));
    FUZZ_CHECK(written.find('\n') == std::string::npos, written);
    out.push_back(written);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::size_t most = fuzz::take_byte(input) % 16;
  const auto files = fuzz::split(input, '\x1e', 2);
  static const ingest::TempFolder folder;
  const std::string path = folder.path() + "/findings.jsonl";
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string_view lines = i < files.size() ? files[i] : std::string_view();
    std::ofstream(i == 0 ? path + ".1" : path, std::ios::binary | std::ios::trunc) << lines;
    note(lines, expected);
  }
  expected.erase(expected.begin(), expected.end() - static_cast<std::ptrdiff_t>(std::min(most, expected.size())));
  std::vector<std::string> found;
  for (const Finding& finding : exporters::newest_findings(path, most)) found.push_back(line_of(finding));
  FUZZ_CHECK(found == expected, std::to_string(found.size()) + " findings, not the newest " + std::to_string(expected.size()));
  return 0;
}
