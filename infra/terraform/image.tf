# One image for all programs. Cloud Build makes it, as an identity that may do nothing else.
resource "google_artifact_registry_repository" "images" {
  repository_id = "order-saga"
  location      = var.region
  format        = "DOCKER"

  cleanup_policy_dry_run = false
  cleanup_policies {
    id     = "keep-the-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }
  cleanup_policies {
    id     = "delete-the-old"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_artifact_registry_repository_iam_member" "builder" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.identity["builder"].member
}

locals {
  build_region = coalesce(var.build_region, var.region)
}

# Where `gcloud builds submit` puts the source.
resource "google_storage_bucket" "source" {
  name                        = "${var.project}-order-saga-source"
  location                    = local.build_region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.identity["builder"].member
}

resource "google_project_iam_member" "builder" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.identity["builder"].member
}

# The digest of what stands under the tag now: what runs is what was planned, and a new image is a change.
data "google_artifact_registry_docker_image" "pipeline" {
  location      = var.region
  repository_id = google_artifact_registry_repository.images.repository_id
  image_name    = "order-saga:${var.image_tag}"

  # Once the repository is gone, so is the image. Without this, a destroy that stopped halfway could not be repeated: it
  # would ask for the image first, and fail.
  depends_on = [google_artifact_registry_repository.images]
}
