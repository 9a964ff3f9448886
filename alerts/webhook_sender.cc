#include "alerts/webhook_sender.h"

#include <fstream>

#include "alerts/cloud_event.h"
#include "alerts/http_client.h"
#include "alerts/webhook_signature.h"
#include "core/secret.h"
#include "core/unit_problems.h"

namespace driftd::alerts {
namespace {

Result<std::string> read_secret(const std::string& path) {
  const auto found = secret_file(path);
  if (!found) return found.error();
  std::ifstream file(*found, std::ios::binary);
  std::string text(4096, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.empty()) return Error{ErrorCode::kIo, "secret file " + path + " cannot be read"};
  auto key = decode_secret(text);
  if (!key) return key.error().at("secret file " + path);
  return key;
}

}  // namespace

std::vector<ParamSpec> webhook_params() {
  return {
      {.name = "url", .sentence = "Where to post, http or https, without user and password; this or url_file is required"},
      {.name = "url_file",
       .sentence = "File (or credential:NAME) with the URL in its first line, in place of url, for one that is a secret itself, as with a "
                   "token in its path or query; read at each attempt, and never shown"},
      {.name = "secret_file",
       .type = ParamType::kTextList,
       .sentence =
           "Files with the signing secret (or credential:NAME), whsec_ and base64 of 24 to 64 bytes, or plain; the newest first, old "
           "ones beside it while receivers change over; without it messages are not signed"},
      {.name = "ca_file", .sentence = "PEM file of the authorities to trust instead of the system's"},
  };
}

Result<WebhookSender> WebhookSender::make(const Params& params, const NotifierContext& context) {
  WebhookSender sender;
  sender.url_ = params.text("url");
  sender.url_file_ = params.text("url_file");
  sender.secret_files_ = params.texts("secret_file");
  sender.ca_file_ = params.text("ca_file");
  sender.clock_ = context.clock;
  sender.targets_ = context.targets;
  sender.stop_ = context.stop;
  if (params.has("url") == params.has("url_file")) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string(params.has("url") ? "url and url_file are both given" : "url is missing") + ": give one of url and url_file"};
  }
  UnitProblems problems(params, context.problems, "");
  if (params.has("url")) {
    if (const Status url = check_target(sender.url_, context.targets); !url) problems.add("url", url.error().message);
  }
  if (context.reads_files) {
    if (params.has("url_file")) {
      if (const auto url = sender.url(); !url) problems.add("url_file", "url_file: " + url.error().message);
    }
    for (std::size_t i = 0; i < sender.secret_files_.size(); ++i) {
      const auto key = read_secret(sender.secret_files_[i]);
      if (!key) problems.add(item_of(params, "secret_file", i), "secret_file: " + key.error().message);
    }
    problems.add_unfit_authority(params, "ca_file");
  }
  if (const auto& first = problems.first()) return *first;
  return sender;
}

Result<std::string> WebhookSender::url() const {
  if (url_file_.empty()) return url_;
  auto url = driftd::read_secret(url_file_);
  if (!url) return url.error();
  if (const Status s = check_url(*url); !s) return s.error().at("the first line of " + url_file_);
  if (!check_target(*url, targets_)) {
    return Error{ErrorCode::kInvalidArgument, "the host of the URL in " + url_file_ + " is not in alerts.allowed_targets"};
  }
  return url;
}

Delivery WebhookSender::post(const std::string& id, const std::string& body, Deadline deadline) const {
  const std::int64_t seconds = clock_->now() / kSecond;  // of the attempt
  const auto to = url();
  if (!to) return {Delivery::Result::kRetry, 0, to.error().message};
  HttpRequest request{
      .url = *to, .headers = {}, .body = body, .ca_file = ca_file_, .secret_url = !url_file_.empty(), .targets = targets_, .stop = stop_};
  request.headers = {{"Content-Type", kCloudEventType}, {"webhook-id", id}, {"webhook-timestamp", std::to_string(seconds)}};
  std::vector<std::string> keys;
  for (const std::string& path : secret_files_) {
    auto key = read_secret(path);
    if (!key) return {Delivery::Result::kRetry, 0, key.error().message};
    keys.push_back(std::move(key).value());
  }
  if (!keys.empty()) {
    request.headers.emplace_back("webhook-signature", webhook_signature(keys, id, seconds, body));
  }
  return delivery_of(http_post(request, deadline));
}

}  // namespace driftd::alerts
