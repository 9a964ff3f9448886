#include "ingest/mqtt_session.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

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
  const std::string fresh = path_ + ".new";
  const auto failed = [&](const char* what) {
    return Error{ErrorCode::kIo, std::string("mqtt: ") + what + " " + fresh + ": " + std::strerror(errno)};
  };
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return failed("making");
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fdatasync(fd) == 0;
  const Error error = written ? Error{} : failed("writing");
  ::close(fd);
  if (!written) return error;
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) return failed("renaming");
  topics_ = topics;
  return {};
}

}  // namespace driftd::ingest
