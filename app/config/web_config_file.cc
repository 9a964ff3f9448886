// service.web_config: the file in the exporter-toolkit's format that says who may use the HTTP server.
#include "app/config/config.h"
#include "app/config/yaml.h"
#include "exporters/listen.h"

namespace driftd::app {

Result<exporters::WebConfig> load_web_config(const ServiceConfig& service) {
  exporters::WebConfig config;
  const std::string& path = service.web_config;
  if (!path.empty()) {
    const auto text = read_file(path);
    if (!text) return text.error().at("service: web_config");
    ErrorList errors;
    const Node root = parse_yaml(*text, errors);
    const std::size_t slash = path.rfind('/');
    // As it is while an editor writes it: it would open the doors.
    if (root.is_null() && errors.empty()) {
      return Error{ErrorCode::kInvalidArgument, path + ": is empty; for neither TLS nor users write {}, or take service.web_config out"};
    }
    if (root.line > 0) config = exporters::read_web_config(root, slash == std::string::npos ? "" : path.substr(0, slash), errors);
    if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, format_errors(path, errors)};
  }
  const std::string problem = exporters::listen_problem(service.listen, config.protects(), service.allow_public);
  if (!problem.empty()) return Error{ErrorCode::kInvalidArgument, "service: listen: " + problem};
  return config;
}

Result<std::shared_ptr<exporters::WebAccess>> open_web_access(const ServiceConfig& service, Telemetry* telemetry) {
  if (service.web_config.empty()) {
    const auto allowed = load_web_config(service);
    if (!allowed) return allowed.error();
    return std::shared_ptr<exporters::WebAccess>();
  }
  return exporters::WebAccess::make(
      service.web_config, [service] { return load_web_config(service); }, telemetry);
}

}  // namespace driftd::app
