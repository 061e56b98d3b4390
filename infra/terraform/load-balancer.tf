# One site for customers, only with a domain: a global external Application Load Balancer with a certificate that Google
# renews. It leads each request to the service that has the route, as local/gateway.ts does on your machine; both know the
# routes from the saga.
#
# A load balancer brings no identity, so what stands behind it must let in whoever comes. The services that hold the
# operators' routes, and are pushed to, stay closed: customers are answered by instances of their own, which take no
# pushes and open no operators' route, whatever the URL map may let through (docs/decisions/0021-one-site.md).
locals {
  site_services = toset([
    for name, service in local.topology.services : name if var.domain != null && length(service.customerRoutes) > 0
  ])
  # Around the load balancer, its limits would not hold.
  frontend_ingress = var.domain == null ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  # The load balancer adds two entries to X-Forwarded-For: the client and itself.
  site_environment = var.domain == null ? {} : { TRUSTED_PROXIES = "2" }
  # The frontend gets everything else, and answers 404 where it has nothing.
  site_rules = [
    for name in setsubtract(local.site_services, ["frontend"]) : {
      service = name
      routes = [
        for route in local.topology.services[name].customerRoutes : {
          method = split(" ", route)[0]
          # A name in braces stands for one segment.
          path = replace(split(" ", route)[1], "/\\{\\w+\\}/", "*")
        }
      ]
    }
  ]
}

resource "google_cloud_run_v2_service" "customers" {
  for_each             = setsubtract(local.site_services, ["frontend"])
  name                 = "${each.key}-customers"
  location             = var.region
  ingress              = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  invoker_iam_disabled = true
  # It keeps nothing, and without the domain it is deleted.
  deletion_protection = false

  # As in services.tf.
  lifecycle {
    ignore_changes = [client, client_version]
  }

  template {
    service_account                  = google_service_account.identity[each.key].email
    max_instance_request_concurrency = 500
    timeout                          = "60s"

    scaling {
      min_instance_count = 0
      max_instance_count = var.instances_max
    }

    containers {
      image = data.google_artifact_registry_docker_image.pipeline.self_link
      args  = ["dist/programs/service.js", each.key]

      ports {
        container_port = 8080
      }
      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      # Without a token and without the platform's check, operators' routes are closed to all. A push would need a token for
      # an audience for which none is made.
      dynamic "env" {
        for_each = merge(
          local.common_environment,
          local.service_environment,
          lookup(var.settings, each.key, {}),
          local.customer_environment,
          local.site_environment,
          {
            SUBSCRIBER           = "push"
            PUSH_AUTH            = "token"
            PUSH_AUDIENCE        = "no-push"
            PUSH_SERVICE_ACCOUNT = google_service_account.identity["push"].email
          },
        )
        content {
          name  = env.key
          value = env.value
        }
      }

      startup_probe {
        period_seconds    = 3
        timeout_seconds   = 3
        failure_threshold = 20
        http_get {
          path = "/readyz"
        }
      }
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = "/livez"
        }
      }
    }
  }

  depends_on = [terraform_data.groundwork]
}

resource "google_compute_region_network_endpoint_group" "site" {
  for_each              = local.site_services
  name                  = "order-saga-${each.key}"
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.key == "frontend" ? google_cloud_run_v2_service.service["frontend"].name : google_cloud_run_v2_service.customers[each.key].name
  }
}

# No timeout_sec: before a serverless backend it is 60 minutes, and Google refuses any other. So a stream of events may
# stay open as long as its service lets a request take.
resource "google_compute_backend_service" "site" {
  for_each              = local.site_services
  name                  = "order-saga-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.site[0].id

  backend {
    group = google_compute_region_network_endpoint_group.site[each.key].id
  }
}

# Services limit what changes something; reading costs money, too. An office behind one address is one client: this is
# enough for some hundred people who watch their orders.
resource "google_compute_security_policy" "site" {
  count = var.domain == null ? 0 : 1
  name  = "order-saga"

  rule {
    description = "So many requests a minute from one address"
    action      = "throttle"
    priority    = 1000

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"
      rate_limit_threshold {
        count        = 1000
        interval_sec = 60
      }
    }
  }
  rule {
    description = "What Google asks for: a last rule for all others"
    action      = "allow"
    priority    = 2147483647

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_compute_url_map" "site" {
  count = var.domain == null ? 0 : 1
  name  = "order-saga"

  default_url_redirect {
    host_redirect  = var.domain
    https_redirect = true
    strip_query    = false
  }
  host_rule {
    hosts        = [var.domain]
    path_matcher = "customers"
  }
  path_matcher {
    name            = "customers"
    default_service = google_compute_backend_service.site["frontend"].id

    dynamic "route_rules" {
      for_each = local.site_rules
      content {
        priority = route_rules.key + 1
        service  = google_compute_backend_service.site[route_rules.value.service].id

        # One path can have a customers' method and an operators': GET /users/{user}, and DELETE.
        dynamic "match_rules" {
          for_each = route_rules.value.routes
          content {
            full_path_match     = strcontains(match_rules.value.path, "*") ? null : match_rules.value.path
            path_template_match = strcontains(match_rules.value.path, "*") ? match_rules.value.path : null
            header_matches {
              header_name = ":method"
              exact_match = match_rules.value.method
            }
          }
        }
      }
    }
  }
}

resource "google_compute_url_map" "redirect" {
  count = var.domain == null ? 0 : 1
  name  = "order-saga-redirect"

  default_url_redirect {
    https_redirect = true
    strip_query    = false
  }

  depends_on = [google_project_service.api]
}

# Google issues and renews it once the domain's A record leads to the address.
resource "google_compute_managed_ssl_certificate" "site" {
  count = var.domain == null ? 0 : 1
  # Another domain is another certificate, which must be there before the proxy lets go of this one.
  name = "order-saga-${substr(sha256(coalesce(var.domain, "none")), 0, 8)}"

  managed {
    domains = [var.domain]
  }
  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.api]
}

resource "google_compute_ssl_policy" "site" {
  count           = var.domain == null ? 0 : 1
  name            = "order-saga"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.api]
}

resource "google_compute_target_https_proxy" "site" {
  count            = var.domain == null ? 0 : 1
  name             = "order-saga"
  url_map          = google_compute_url_map.site[0].id
  ssl_certificates = [google_compute_managed_ssl_certificate.site[0].id]
  ssl_policy       = google_compute_ssl_policy.site[0].id
}

resource "google_compute_target_http_proxy" "redirect" {
  count   = var.domain == null ? 0 : 1
  name    = "order-saga-redirect"
  url_map = google_compute_url_map.redirect[0].id
}

resource "google_compute_global_address" "site" {
  count = var.domain == null ? 0 : 1
  name  = "order-saga"

  depends_on = [google_project_service.api]
}

resource "google_compute_global_forwarding_rule" "site" {
  for_each = var.domain == null ? {} : {
    https = { port = "443", target = google_compute_target_https_proxy.site[0].id }
    http  = { port = "80", target = google_compute_target_http_proxy.redirect[0].id }
  }
  name                  = "order-saga-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.site[0].id
  port_range            = each.value.port
  target                = each.value.target
}
