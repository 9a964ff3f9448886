#include "ingest/mqtt_session.h"

#include <fstream>

#include "core/files.h"

namespace driftd::ingest {

MqttSession::MqttSession(std::string path, std::string client_id, std::string broker)
    : path_(std::move(path)), identity_(client_id + " " + broker) {
  std::ifstream file(path_);
  std::string line;
  if (!std::getline(file, line) || line != identity_) return;
  while (std::getline(file, line)) topics_.push_back(line);
}

Status MqttSession::subscribed(const std::vector<std::string>& topics) {
  if (topics == topics_) return {};
  std::string text = identity_ + "\n";
  for (const std::string& topic : topics) text += topic + "\n";
  if (const Status s = replace_file(path_, text); !s) return s.error().at("mqtt");
  topics_ = topics;
  return {};
}

}  // namespace driftd::ingest
