#include "exporters/findings_tail.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace driftd::exporters {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::optional<double> number(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? std::optional(it->get<double>()) : std::nullopt;
}

std::optional<std::uint64_t> count(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? std::optional(it->get<std::uint64_t>()) : std::nullopt;
}

Time time(const Json& object, const char* key) { return parse_time(text(object, key)).value_or(kNoTime); }

// The whole lines in the last `most` bytes of the file.
std::string tail(const std::string& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(file.tellg(), 0));
  const std::size_t from = size > most ? size - most : 0;
  std::string bytes(size - from, '\0');
  file.seekg(static_cast<std::streamoff>(from));
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (from != 0) bytes.erase(0, std::min(bytes.size(), bytes.find('\n')) + 1);  // it may have been cut
  return bytes;
}

// Newest first, until there are `most`.
void take_newest(std::string_view lines, std::size_t most, std::vector<Finding>& out) {
  while (!lines.empty() && out.size() < most) {
    if (lines.back() == '\n') lines.remove_suffix(1);
    const std::size_t end = lines.rfind('\n');
    const std::size_t start = end == std::string_view::npos ? 0 : end + 1;
    if (auto finding = parse_finding(lines.substr(start))) out.push_back(std::move(*finding));
    lines = lines.substr(0, start);
  }
}

}  // namespace

std::optional<Finding> parse_finding(std::string_view line) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const Json none = Json::object();
  const auto object = [&](const char* key) -> const Json& {
    const auto it = json.find(key);
    return it != json.end() && it->is_object() ? *it : none;
  };
  Finding f;
  f.id = text(json, "id");
  f.stream = text(json, "stream");
  f.segment = {text(object("segment"), "by"), text(object("segment"), "value")};
  f.field = text(json, "field");
  f.check = text(json, "check");
  const auto kind = finding_kind(text(json, "kind"));
  const auto said = verdict(text(json, "verdict"));
  const auto severe = severity(text(json, "severity"));
  if (f.id.empty() || !kind || !said || !severe) return std::nullopt;
  f.kind = *kind;
  f.verdict = *said;
  f.severity = *severe;
  f.reason = text(json, "reason");
  if (json.contains("record")) {
    f.record_time = time(object("record"), "time");
    f.record_source = text(object("record"), "source");
  } else {
    f.window_start = time(object("window"), "start");
    f.window_end = time(object("window"), "end");
  }
  f.value = number(json, "value");
  f.threshold = number(json, "threshold");
  f.n = count(json, "n");
  f.n_reference = count(json, "n_reference");
  if (json.contains("reference")) {
    const Json& r = object("reference");
    f.reference = {text(r, "name"), static_cast<std::uint32_t>(count(r, "version").value_or(0)), text(r, "hash")};
  }
  f.effect = number(json, "effect");
  f.log_evidence = number(json, "log_evidence");
  f.log_threshold = number(json, "log_threshold");
  if (json.contains("change_time")) f.change_time = time(json, "change_time");
  f.guarantee = text(json, "guarantee");
  for (const auto& [key, value] : object("detail").items()) {
    if (value.is_number()) f.detail.push_back({key, "", value.get<double>()});
    if (value.is_string()) f.detail.push_back({key, value.get<std::string>(), std::nullopt});
  }
  return f;
}

std::vector<Finding> newest_findings(const std::string& path, std::size_t most) {
  std::vector<Finding> out;
  take_newest(tail(path, kTailBytes), most, out);
  if (out.size() < most) take_newest(tail(path + ".1", kTailBytes), most, out);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace driftd::exporters
