#include "core/unit_problems.h"

#include "core/key_pair.h"
#include "core/secret.h"

namespace driftd {

void UnitProblems::add(const Node& at, const std::string& why) {
  const std::string message = what_.empty() ? why : what_ + ": " + why;
  if (!first_) first_ = Error{ErrorCode::kInvalidArgument, message};
  if (list_ != nullptr) list_->add(at, message);
}

void UnitProblems::add_unreadable_secret(const std::string& param) {
  const std::string& path = params_.text(param);
  if (list_ == nullptr || path.empty()) return;
  if (const auto secret = read_secret(path); !secret) add(param, param + ": " + secret.error().message);
}

void UnitProblems::add_unfit_authority(const Params& section, const std::string& param) {
  const std::string& path = section.text(param);
  if (list_ == nullptr || path.empty()) return;
  if (const Status s = try_certificate(path); !s) add(section.node(param), param + ": " + s.error().message);
}

void UnitProblems::add_unfit_pair(const Params& section, const std::string& certificate, const std::string& key) {
  if (list_ == nullptr) return;
  const std::string& cert_path = section.text(certificate);
  const std::string& key_path = section.text(key);
  const Status usable = cert_path.empty() ? Status() : try_certificate(cert_path);
  if (!usable) add(section.node(certificate), certificate + ": " + usable.error().message);
  if (key_path.empty()) return;
  if (const Status s = try_key(key_path, usable ? cert_path : ""); !s) add(section.node(key), key + ": " + s.error().message);
}

const Node& item_of(const Params& params, std::string_view list, std::size_t i) {
  const Node& node = params.node(list);
  return node.is_list() && i < node.items.size() ? node.items[i] : node;
}

}  // namespace driftd
