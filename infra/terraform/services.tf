# Group commit wants many requests in few instances: what arrives while one commit is under way shares the next one. A
# batch holds 240 orders, so 500 requests are one batch that is committed and one that gathers. More instances would
# compete for the same stock, and Node uses one processor.
resource "google_cloud_run_v2_service" "service" {
  for_each            = local.services
  name                = each.key
  location            = var.region
  deletion_protection = var.deletion_protection
  # Whoever calls from outside must pass Cloud Run's IAM all the same.
  ingress = each.key == "frontend" ? local.frontend_ingress : length(each.value.callers) > 0 ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  # Not roles/run.invoker for allUsers: organizations that share with their own domain alone refuse that.
  invoker_iam_disabled = var.public && each.key == "frontend"

  # gcloud signs what it changes, such as the traffic in a roll-out. Each plan would take that back.
  lifecycle {
    ignore_changes = [client, client_version]
  }

  template {
    service_account                  = google_service_account.identity[each.key].email
    max_instance_request_concurrency = 500
    timeout                          = "${each.value.timeout_seconds}s"

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

      # Everything happens within a request, so nothing is paid between requests.
      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(
          local.environments[each.key],
          local.customer_environment,
          { for name, value in local.pushed_environment : name => value if contains(local.readers, each.key) },
        )
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = each.value.secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secret[env.value].secret_id
              version = "latest"
            }
          }
        }
      }

      # No request before store and broker have answered once. Later, their absence is no reason to start again.
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

# The alternative to push: the same programs, that pull. Their number is fixed, because a pull has no requests to count.
resource "google_cloud_run_v2_worker_pool" "worker" {
  for_each = var.subscriber == "pull" ? local.readers : toset([])
  name     = "${each.key}-worker"
  location = var.region
  # It keeps nothing, and the way back to push deletes it.
  deletion_protection = false

  scaling {
    scaling_mode          = "MANUAL"
    manual_instance_count = var.workers
  }

  template {
    service_account = google_service_account.identity[each.key].email

    containers {
      image = data.google_artifact_registry_docker_image.pipeline.self_link
      args  = ["dist/programs/service.js", each.key]

      resources {
        limits = { cpu = "1", memory = "512Mi" }
      }

      dynamic "env" {
        for_each = merge(local.environments[each.key], { SUBSCRIBER = "pull" })
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = local.services[each.key].secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secret[env.value].secret_id
              version = "latest"
            }
          }
        }
      }
    }
  }

  depends_on = [terraform_data.groundwork]
}

resource "google_cloud_run_v2_job" "job" {
  for_each            = local.jobs
  name                = each.key
  location            = var.region
  deletion_protection = var.deletion_protection

  template {
    template {
      service_account = google_service_account.identity[each.value.identity].email
      max_retries     = 0
      timeout         = "3600s"

      containers {
        image = data.google_artifact_registry_docker_image.pipeline.self_link
        args  = [each.value.script]

        dynamic "env" {
          for_each = local.common_environment
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  depends_on = [terraform_data.groundwork]
}

# Moves on the orders that stand still. One that fails is followed by the next a minute later.
resource "google_cloud_scheduler_job" "sweep" {
  name             = "sweep"
  region           = var.region
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${local.services.janitor.timeout_seconds}s"

  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = "${local.urls.janitor}/sweep"

    oidc_token {
      service_account_email = google_service_account.identity["sweep"].email
      audience              = local.urls.janitor
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.sweep]
}
