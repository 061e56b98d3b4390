# Their values are added by hand (README.md), so that no state file holds one.
resource "google_secret_manager_secret" "secret" {
  for_each  = toset(flatten([for own in local.services : values(own.secrets)]))
  secret_id = each.key

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = merge([
    for service, own in local.services : { for secret in values(own.secrets) : "${service}/${secret}" => { service = service, secret = secret } }
  ]...)
  secret_id = google_secret_manager_secret.secret[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.identity[each.value.service].member
}
