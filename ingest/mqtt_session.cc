#include "ingest/mqtt_session.h"

#include <fstream>

#include "core/files.h"
#include "core/text.h"

namespace driftd::ingest {
namespace {

constexpr const char* kFrom = " from ";

}  // namespace

MqttSession::MqttSession(std::string path, std::string client_id, std::string broker)
    : path_(std::move(path)), identity_(client_id + " " + broker) {
  std::ifstream file(path_);
  std::string line;
  if (!std::getline(file, line)) return;
  if (line != identity_) {
    const std::string start = identity_ + kFrom;
    const auto begin = line.starts_with(start) ? parse_integer(std::string_view(line).substr(start.size())) : std::nullopt;
    if (!begin || *begin < 0) return;
    begin_ = *begin;
  }
  while (std::getline(file, line)) topics_.push_back(line);
}

Status MqttSession::begun(std::int64_t journal_end) {
  begin_ = journal_end;
  return write(topics_);
}

Status MqttSession::subscribed(const std::vector<std::string>& topics) {
  if (topics == topics_) return {};
  if (const Status s = write(topics); !s) return s;
  topics_ = topics;
  return {};
}

Status MqttSession::write(const std::vector<std::string>& topics) const {
  std::string text = identity_ + kFrom + std::to_string(begin_) + "\n";
  for (const std::string& topic : topics) text += topic + "\n";
  const Status s = replace_file(path_, text);
  return s ? s : s.error().at("mqtt");
}

}  // namespace driftd::ingest
